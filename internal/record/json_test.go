package record

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/result"
)

// sameText compares texts as JSON has them: what is no UTF-8 is replaced.
var sameText = cmp.Comparer(func(a, b string) bool {
	return strings.ToValidUTF8(a, "\ufffd") == strings.ToValidUTF8(b, "\ufffd")
})

// A probe is one line of JSON without secrets, with the verdict and the experiments where there are any.
func TestJSON(t *testing.T) {
	verdict := cause.Verdict{
		Cause: cause.Transient, Party: cause.UnknownParty, Confidence: cause.Medium, Evidence: []string{"it works now"},
		RuledOut: []cause.RuledOut{{Cause: cause.ServerOverloaded, By: "the machine is idle"}},
		Open:     []cause.Cause{cause.ServerRestarted}, Next: []string{"wait"},
	}
	refused := result.Failure{Phase: result.Connect, Reason: result.TCPRefused, Origin: result.Peer}
	refusedJSON := FailureOf(&refused)
	at := time.Date(2026, 11, 22, 3, 12, 4, 0, time.UTC)
	for _, found := range []struct {
		findings    cause.Findings
		experiments []ExperimentJSON
	}{
		{cause.Findings{}, nil},
		{cause.Findings{Verdict: &verdict}, nil},
		{cause.Findings{Kernel: new(counters.Around)}, nil}, // whose counters are awaited
		{cause.Findings{Kernel: counters.Of(&counters.Changes{From: at, To: at.Add(time.Second),
			Changed: []counters.Change{{Name: "IpOutNoRoutes", By: 2, Meaning: "no route"}}})}, nil},
		{
			cause.Findings{Verdict: &verdict, Experiments: []result.Experiment{{Kind: result.Again, Failure: &refused},
				{Kind: result.PathTrace}}},
			[]ExperimentJSON{
				{Kind: result.Again, Failure: &refusedJSON, Text: "again: FAILED: " + refused.Sentence()},
				{Kind: result.PathTrace, Text: "trace: no router answers"},
			},
		},
	} {
		for _, row := range resulttest.Records() {
			var out bytes.Buffer
			if err := JSONOf(&row.Result, found.findings).Write(&out); err != nil {
				t.Fatal(err)
			}
			var got JSON
			err := json.Unmarshal(out.Bytes(), &got)
			if err != nil || strings.Count(out.String(), "\n") != 1 || strings.Contains(out.String(), "hunter2") {
				t.Errorf("%s: %v, want one line of JSON without secrets:\n%s", row.Name, err, out.String())
			}
			f := row.Result.Failure
			if got.Schema != Schema {
				t.Errorf("%s: schema %d, want %d", row.Name, got.Schema, Schema)
			}
			if got.Success != (f == nil) || f != nil &&
				(got.Failure.Reason != f.Reason || got.Failure.Sentence != f.Sentence()) {
				t.Errorf("%s: success %t, failure %+v, want %+v", row.Name, got.Success, got.Failure, f)
			}
			if hop := got.Attempts[0].Hops[0]; len(hop.Phases) != len(row.Result.Attempts[0].Hops[0].Spans) {
				t.Errorf("%s: %d phases, want %d", row.Name, len(hop.Phases), len(row.Result.Attempts[0].Hops[0].Spans))
			}
			var upstream result.Upstream
			if u := row.Result.Last().LastHop().Upstream; u != nil {
				upstream = *u
			}
			if hop := got.Attempts[0].Hops[0]; hop.UpstreamReason != upstream.Reason || hop.UpstreamBy != upstream.By {
				t.Errorf("%s: upstream %s by %s, want %+v", row.Name, hop.UpstreamReason, hop.UpstreamBy, upstream)
			}
			if w := row.Result.Attempts[0].Hops[0].Wire; w != nil {
				if diff := cmp.Diff(ResetOf(w.Reset), got.Attempts[0].Hops[0].Reset, sameText); diff != "" {
					t.Errorf("%s: reset (-want +got):\n%s", row.Name, diff)
				}
			}
			if diff := cmp.Diff(found.findings.Verdict, got.Verdict); diff != "" {
				t.Errorf("%s: verdict (-want +got):\n%s", row.Name, diff)
			}
			if diff := cmp.Diff(found.findings.Kernel.Changes(), got.Kernel); diff != "" {
				t.Errorf("%s: kernel counters (-want +got):\n%s", row.Name, diff)
			}
			if diff := cmp.Diff(found.experiments, got.Experiments); diff != "" {
				t.Errorf("%s: experiments (-want +got):\n%s", row.Name, diff)
			}
		}
	}
}

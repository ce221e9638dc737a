package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// Which of what is published belongs to a target's incident; each row comes after those before it. The log's line of a
// failure has the incident's ID.
func TestIncidentsIn(t *testing.T) {
	reset, success := resulttest.ResetInProcessing(), resulttest.HTTPSuccess()
	success.URL, success.Module = reset.URL, reset.Module
	abandoned := reset
	abandoned.Failure = &result.Failure{Phase: result.Processing, Reason: result.Abandoned, Origin: result.Self,
		Err: context.Canceled}
	found := cause.Findings{Verdict: &cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.High},
		Experiments: []result.Experiment{{Kind: result.PathTrace}}}
	first := ulid.ULID{15: 4}.String()
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}})
	for n, row := range []struct {
		name      string
		published watch.Published
		want      string // the incidents, the newest first: failures of attempts, ending, cause, experiments, unreliable
		logged    string // the incident in the log's line
	}{
		{"a success", watch.Published{Target: "payments", Result: &success, Reliable: true}, "", ""},
		{"a failure of a target of /probe", watch.Published{Result: &reset, Reliable: true}, "", ""},
		{"of a caller with little time", watch.Published{Target: "payments", Result: &reset, Callers: true}, "", ""},
		{"a failure", watch.Published{Target: "payments", Result: &reset, Reliable: true}, "[1/1   0 0]", first},
		{"one that its client cancelled", watch.Published{Target: "payments", Result: &abandoned}, "[1/1   0 0]", ""},
		{"one while the exporter was late", watch.Published{Target: "payments", Result: &reset}, "[2/2   0 1]", first},
		{"its experiments", watch.Published{ID: ulid.ULID{15: 4}, Target: "payments", Result: &reset, Found: found, Later: true},
			"[2/2  server_aborts 1 1]", first},
		{"a success with little time", watch.Published{Target: "payments", Result: &success, Callers: true},
			"[2/2  server_aborts 1 1]", ""},
		{"a success", watch.Published{Target: "payments", Result: &success}, "[2/2 recovered server_aborts 1 1]", ""},
		{"a failure of another target", watch.Published{Target: "orders", Result: &reset, Reliable: true},
			"[1/1   0 0][2/2 recovered server_aborts 1 1]", ulid.ULID{15: 10}.String()},
	} {
		if row.published.ID.IsZero() {
			row.published.ID = ulid.ULID{15: byte(n + 1)}
		}
		IncidentsIn(incidents)(&row.published)
		got := ""
		for _, i := range incidents.List(incident.Query{}) {
			got += fmt.Sprintf("[%d/%d %s %s %d %d]", i.Failed, i.Attempts, i.Ended, i.Cause(), len(i.Experiments), i.Unreliable)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: incidents (-want +got):\n%s", row.name, diff)
		}
		var line bytes.Buffer
		LogTo(slog.New(slog.NewTextHandler(&line, &slog.HandlerOptions{Level: slog.LevelDebug})), incidents)(&row.published)
		_, logged, _ := strings.Cut(line.String(), " incident=")
		logged, _, _ = strings.Cut(logged, " ")
		if logged != row.logged {
			t.Errorf("%s: the line has incident %q, want %q:\n%s", row.name, logged, row.logged, line.String())
		}
	}
}

// An incident has what is published of the application's connections with its probes, and nothing of what is published
// with others.
func TestApplicationInIncidents(t *testing.T) {
	reset := resulttest.ResetInProcessing()
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}})
	for n, row := range []struct {
		published watch.Published
		want      uint64
	}{
		{watch.Published{Result: &reset, Application: &incident.Application{Since: reset.Start,
			Ends: []incident.Ends{{How: observe.FINSent, Count: 1}}, Ended: 1}}, 1},
		{watch.Published{Result: &reset, Callers: true, Application: &incident.Application{
			Ends: []incident.Ends{{How: observe.FINSent, Count: 2}}}}, 1},
		{watch.Published{Result: &reset, Application: &incident.Application{
			Ends: []incident.Ends{{How: observe.FINSent, Count: 4}}}}, 5},
	} {
		row.published.ID, row.published.Target = ulid.ULID{15: byte(n + 1)}, "payments"
		IncidentsIn(incidents)(&row.published)
		if got := incidents.Open("payments").Application.Ended; got != row.want {
			t.Errorf("after %d probes %d connections ended, want %d", n+1, got, row.want)
		}
	}
}

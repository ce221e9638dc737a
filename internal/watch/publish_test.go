package watch

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// An outcome goes once through every sink, in their order, with its verdict, before the scrape has it; experiments
// follow under the same ID.
func TestPublish(t *testing.T) {
	success, failure := []string{"first 1st false later:false", "second 1st false later:false"},
		[]string{"first 1st true later:false", "second 1st true later:false"}
	for _, row := range []struct {
		name     string
		url      string
		diagnose bool
		probe    func(context.Context, *Watch, *config.Config, string) (State, error)
		want     []string // before the state is there: the sink, the ID, whether there is a verdict
		later    []string
	}{
		{"a success", faultlab.Handler(t, faultlab.Healthy), true, probeConfigured, success, nil},
		{"a failure", faultlab.ResetAfterRequest(t), false, probeConfigured, failure, nil},
		{"a failure and experiments", faultlab.ResetAfterRequest(t), true, probeConfigured, failure,
			[]string{"first 1st true later:true", "second 1st true later:true"}},
		{"a failure of a target that is not configured", faultlab.ResetAfterRequest(t), true, probeAdHoc, failure, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			published := make(chan string, 100)
			sink := func(name string) Sink {
				return func(p *Published) {
					text := fmt.Sprintf("%s %dst %t later:%t", name, p.ID[15], p.Found.Verdict != nil, p.Later)
					published <- text
				}
			}
			w := New(Options{
				Prober: prober.New(prober.Options{}), Remember: 10, Registry: prometheus.NewPedanticRegistry(),
				Sinks: []Sink{sink("first"), sink("second")}, IDs: counted(),
			})
			t.Cleanup(w.Close)
			c := parse(t, "targets:\n"+item("a", row.url))
			c.Targets[0].Module.Diagnose = module.Diagnose{OnFailure: row.diagnose, MaxPerHour: 1}
			w.Apply(c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			state, err := row.probe(ctx, w, c, row.url)
			if err != nil || state.Outcome == nil || state.Outcome.Record != (ulid.ULID{15: 1}) {
				t.Fatalf("the probe has %+v, %v, want the outcome of record 1", state.Outcome, err)
			}
			if n := len(published); n < len(row.want) {
				t.Errorf("%d of %d values were published before the probe's state was there", n, len(row.want))
			}
			var got []string
			for range len(row.want) + len(row.later) {
				select {
				case text := <-published:
					got = append(got, text)
				case <-ctx.Done():
					t.Fatalf("published %q, want %q, then %q", got, row.want, row.later)
				}
			}
			if diff := cmp.Diff(append(row.want[:len(row.want):len(row.want)], row.later...), got); diff != "" ||
				len(published) > 0 {
				t.Errorf("published (-want +got), and %d more:\n%s", len(published), diff)
			}
		})
	}
}

// counted makes IDs that count up from 1.
func counted() func() ulid.ULID {
	var n atomic.Uint32
	return func() ulid.ULID { return ulid.ULID{15: byte(n.Add(1))} }
}

func probeConfigured(ctx context.Context, w *Watch, _ *config.Config, _ string) (State, error) {
	state, _ := w.ProbeTarget(ctx, "a", time.Minute)
	return state, nil
}

func probeAdHoc(ctx context.Context, w *Watch, c *config.Config, url string) (State, error) {
	target, err := prober.ParseTarget(url)
	if err != nil {
		return State{}, err
	}
	return w.Probe(ctx, target, c.Modules["api"])
}

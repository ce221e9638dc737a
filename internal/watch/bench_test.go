package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/target"
	"errno_exporter/prober/result"
)

// BenchmarkPacing probes 1,000 healthy HTTPS targets in one scrape, and each of them alone. It reports how much longer
// the phases took in the scrape, target by target: of the phases of all targets the median and the 99th percentile, in
// milliseconds. "at once" is what it would be without pacing.
//
//	go test ./internal/watch -run '^$' -bench Pacing -benchtime 1x
func BenchmarkPacing(b *testing.B) {
	server := bench.Start(b)
	for _, row := range []struct{ name, url string }{
		{"next door", server.HTTPS1}, {"50 ms away", server.HTTPS1 + bench.Delayed},
		{"50 ms away, HTTP/2", server.HTTPS2 + bench.Delayed},
	} {
		w := newTested(b, server.Config(b, row.url, 1000))
		var alone []*result.Result
		for i := range 1000 {
			state, _ := w.ProbeTarget(b.Context(), fmt.Sprint("api-", i), 10*time.Second)
			alone = append(alone, state.Outcome.Result)
			<-w.ended
		}
		b.Run(row.name+"/paced", func(b *testing.B) {
			reportExcess(b, alone, func() []State { return w.Scrape(b.Context(), 9500*time.Millisecond) })
		})
		b.Run(row.name+"/at once", func(b *testing.B) {
			reportExcess(b, alone, func() []State { return atOnce(w.Watch, 9500*time.Millisecond) })
		})
	}
}

// atOnce is a scrape that starts everything at the same time.
func atOnce(w *Watch, budget time.Duration) []State {
	targets := w.current()
	probes := make([]*target.Probe, len(targets))
	began := time.Now()
	for i, t := range targets {
		probes[i], _ = t.Probes.Join(t.Claim(began, began.Add(budget), 0))
		go w.run(t, probes[i])
	}
	states := make([]State, len(targets))
	for i, f := range probes {
		<-f.Ended
		states[i] = State{Outcome: f.Outcome()}
	}
	return states
}

func reportExcess(b *testing.B, alone []*result.Result, scrape func() []State) {
	var excess []float64
	unreliable := 0
	for b.Loop() {
		for i, s := range scrape() {
			if s.Outcome == nil || s.Outcome.Result.Failure != nil {
				b.Fatalf("target %d: %+v, want a success", i, s.Outcome)
			}
			if !s.Outcome.Reliable {
				unreliable++
			}
			spans, others := s.Outcome.Result.Last().LastHop().Spans, alone[i].Last().LastHop().Spans
			for j := range spans {
				excess = append(excess, (spans[j].Duration-others[j].Duration).Seconds()*1000)
			}
		}
	}
	slices.Sort(excess)
	b.ReportMetric(excess[len(excess)/2], "p50-excess-ms")
	b.ReportMetric(excess[len(excess)*99/100], "p99-excess-ms")
	b.ReportMetric(excess[len(excess)-1], "max-excess-ms")
	b.ReportMetric(float64(unreliable)/float64(b.N), "unreliable/op")
}

package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/target"
	"errno_exporter/prober"
)

// BenchmarkTargetMemory reports what a configured target takes in memory, in bytes, after 2 and after 20 probes that
// succeeded: all that this package has of it, which is the growth of the live heap divided by the number of targets,
// without its configuration. Then the parts, as they are let go of one after the other.
//
//	go test ./internal/watch -run '^$' -bench TargetMemory -benchtime 1x
func BenchmarkTargetMemory(b *testing.B) {
	server := bench.Start(b)
	for _, row := range []struct {
		name, url string
		targets   int
	}{{"http", server.HTTP, 10_000}, {"https1", server.HTTPS1, 2000}, {"https2", server.HTTPS2, 2000}} {
		b.Run(row.name, func(b *testing.B) {
			c := server.Config(b, row.url, row.targets)
			w := New(Options{Prober: prober.New(prober.Options{}), Registry: prometheus.NewRegistry()})
			for b.Loop() {
				empty := claims.LiveHeap()
				w.Apply(c)
				per := func(n int64) float64 { return float64(n) / float64(row.targets) }
				b.ReportMetric(per(claims.LiveHeap()-empty), "B/target-0")
				for i := range 20 {
					probeEach(b, w)
					if i == 1 || i == 19 {
						time.Sleep(time.Second) // net/http has a closed HTTP/2 connection for half of it
						b.ReportMetric(per(claims.LiveHeap()-empty), fmt.Sprint("B/target-", i+1))
					}
				}
				for _, part := range parts {
					before := claims.LiveHeap()
					for _, t := range w.current() {
						part.drop(t)
					}
					b.ReportMetric(per(before-claims.LiveHeap()), "B/"+part.name)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// parts are what is known of a target, each with how it is let go of.
var parts = []struct {
	name string
	drop func(*target.Target)
}{
	{"last", func(t *target.Target) { t.Results = target.Results{}; t.Probes.Forget() }},
	{"timeline", func(t *target.Target) { t.Timeline = nil }},
	{"digests", func(t *target.Target) { t.Evidence = target.Evidence{} }},
	{"totals", func(t *target.Target) { t.Totals, t.Idle = nil, nil }},
}

// probeEach probes every target once, 50 at a time.
func probeEach(b *testing.B, w *Watch) {
	b.Helper()
	slots := make(chan struct{}, 50)
	targets := w.current()
	probes := make([]*target.Probe, len(targets))
	for i, t := range targets {
		slots <- struct{}{}
		now := time.Now()
		probes[i], _ = t.Probes.Join(t.Claim(now, now.Add(10*time.Second), 0))
		go func() {
			defer func() { <-slots }()
			w.run(t, probes[i])
		}()
	}
	for i, f := range probes {
		<-f.Ended
		if o := f.Outcome(); o == nil || o.Result.Failure != nil {
			b.Fatalf("target %d: %+v, want a success", i, o)
		}
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
}

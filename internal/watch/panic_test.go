package watch

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// A panic in a flight is reported, ends the flight at once for the scrapes that wait for it, and leaves the target to the next scrape.
func TestPanicInFlight(t *testing.T) {
	reported := make(chan *guard.Panic, 10)
	ended := 0
	w := New(Options{
		Prober: prober.New(prober.Options{}), Remember: 10, Registry: prometheus.NewPedanticRegistry(),
		Panicked: func(p *guard.Panic) { reported <- p },
		Ended: func(*result.Result, *config.Module) uint64 {
			if ended++; ended == 1 {
				panic("boom")
			}
			return 0
		},
	})
	t.Cleanup(w.Close)
	w.Apply(parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy))))
	began := time.Now()
	if states := w.Scrape(context.Background(), time.Minute); len(states) != 1 || states[0].Outcome != nil || time.Since(began) > 30*time.Second {
		t.Errorf("after %s the scrape has %+v, want at once that there is no outcome", time.Since(began), states)
	}
	if p := <-reported; p.Value != "boom" || !strings.Contains(string(p.Stack), "panic_test.go") {
		t.Errorf("reported %v, want the panic with its stack", p)
	}
	if states := w.Scrape(context.Background(), time.Minute); len(states) != 1 || states[0].Outcome == nil || states[0].Outcome.Result.Failure != nil {
		t.Errorf("the next scrape has %+v, want a success", states)
	}
}

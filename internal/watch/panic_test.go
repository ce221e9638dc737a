package watch

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/guard"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
)

// A panic in a probe is reported, ends the probe at once for the scrapes that wait for it, and leaves the target to
// the next scrape.
func TestPanic(t *testing.T) {
	reported := make(chan *guard.Panic, 10)
	ended := 0
	w := New(Options{
		Prober: prober.New(prober.Options{}), Remember: 10, Registry: prometheus.NewPedanticRegistry(),
		Panicked: func(p *guard.Panic) { reported <- p },
		Sinks: []Sink{func(*Published) {
			if ended++; ended == 1 {
				panic("boom")
			}
		}},
	})
	t.Cleanup(w.Close)
	w.Apply(parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy))))
	began := time.Now()
	if states := w.Scrape(context.Background(), time.Minute); len(states) != 1 || states[0].Outcome != nil ||
		time.Since(began) > 30*time.Second {
		t.Errorf("after %s the scrape has %+v, want at once that there is no outcome", time.Since(began), states)
	}
	if p := <-reported; p.Value != "boom" || !strings.Contains(string(p.Stack), "panic_test.go") {
		t.Errorf("reported %v, want the panic with its stack", p)
	}
	if states := w.Scrape(context.Background(), time.Minute); len(states) != 1 || states[0].Outcome == nil ||
		states[0].Outcome.Result.Failure != nil {
		t.Errorf("the next scrape has %+v, want a success", states)
	}
}

// A panic while a reference target is reached is reported, and no scrape is without its targets for it.
func TestPanicInReferenceTarget(t *testing.T) {
	reported := make(chan *guard.Panic, 10)
	w := New(Options{
		Prober: prober.New(prober.Options{}), Remember: 10, Registry: prometheus.NewPedanticRegistry(),
		Panicked: func(p *guard.Panic) { reported <- p },
	})
	t.Cleanup(w.Close)
	w.Apply(parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy))))
	w.references.Apply([]*egress.Address{nil}) // of which there is no address
	states := w.Scrape(context.Background(), time.Minute)
	if len(states) != 1 || states[0].Outcome == nil || states[0].Outcome.Result.Failure != nil || w.Egress().Known {
		t.Errorf("the scrape has %+v, and egress is %+v, want a success, and nothing known", states, w.Egress())
	}
	select {
	case p := <-reported:
		if !strings.Contains(string(p.Stack), "reference.go") {
			t.Errorf("reported %v\n%s, want the panic of the reference target", p, p.Stack)
		}
	case <-time.After(time.Minute):
		t.Error("no panic was reported")
	}
}

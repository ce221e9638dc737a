package watch

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/guard"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// A panic in a flight is reported, ends the flight at once for the scrapes that wait for it, and leaves the target to
// the next scrape.
func TestPanicInFlight(t *testing.T) {
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

// A panic on a connection that is kept, or while one is made to be kept, is reported, and leaves the age to the next
// connection.
func TestPanicInIdlePool(t *testing.T) {
	reported := make(chan *guard.Panic, 10)
	var all atomic.Int64
	m := parse(t, "").Modules["api"]
	m.Keepalive = []time.Duration{time.Nanosecond}
	target, err := prober.ParseTarget(faultlab.Handler(t, faultlab.Healthy))
	if err != nil {
		t.Fatal(err)
	}
	k := newIdlePool(target, m, newMemo().totals, &all)
	k.panicked = func(p *guard.Panic) { reported <- p }
	p := prober.New(prober.Options{})
	for _, row := range []struct {
		name    string
		module  *module.Module // nil: its first use panics
		act     func()
		kept    bool
		reports int
	}{
		{"a panic while one is made", nil, func() { k.fill(t.Context(), p) }, false, 1},
		{"one is made", m, func() { k.fill(t.Context(), p) }, true, 0},
		{"a panic while it is used", nil, func() { <-k.use(t.Context()) }, false, 1},
		{"another is made", m, func() { k.fill(t.Context(), p) }, true, 0},
		{"it is used", m, func() { <-k.use(t.Context()) }, true, 0},
	} {
		k.module = row.module
		row.act()
		s := &k.slots[0]
		want := int64(0)
		if row.kept {
			want = 1
		}
		if s.busy || (s.kept != nil) != row.kept || all.Load() != want || len(reported) != row.reports {
			t.Errorf("%s: busy %t, kept %t, %d of all, %d panics; want false, %t, %d, %d", row.name, s.busy,
				s.kept != nil, all.Load(), len(reported), row.kept, want, row.reports)
		}
		for len(reported) > 0 {
			<-reported
		}
	}
	k.close()
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

package watch

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/faultlab"
)

// The rule: a probe is unreliable if, during it, the measuring goroutine got its CPU more than lagLimit late, or has
// not got it yet.
func TestLag(t *testing.T) {
	const ms = time.Millisecond
	type wake struct{ at, slept time.Duration } // of the measuring goroutine, since the start
	for _, test := range []struct {
		name         string
		wakes        []wake
		began, ended time.Duration // the probe
		want         bool
	}{
		{"every wake in time", []wake{{5 * ms, 5 * ms}, {10 * ms, 5 * ms}}, 2 * ms, 11 * ms, false},
		{"late by the limit is in time", []wake{{15 * ms, 15 * ms}}, 2 * ms, 16 * ms, false},
		{"late by more", []wake{{16 * ms, 16 * ms}}, 2 * ms, 17 * ms, true},
		{"late before the probe began", []wake{{30 * ms, 30 * ms}, {35 * ms, 5 * ms}}, 31 * ms, 36 * ms, false},
		{"late, and in time after", []wake{{30 * ms, 30 * ms}, {35 * ms, 5 * ms}}, 20 * ms, 36 * ms, true},
		{"not awake yet, within the limit", []wake{{5 * ms, 5 * ms}}, 6 * ms, 20 * ms, false},
		{"not awake yet, beyond it", []wake{{5 * ms, 5 * ms}}, 6 * ms, 21 * ms, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				l := newLag(prometheus.NewHistogram(prometheus.HistogramOpts{Name: "delay"}))
				l.woken = start
				for _, w := range test.wakes {
					time.Sleep(time.Until(start.Add(w.at)))
					l.woke(time.Now().Add(-w.slept), time.Now())
				}
				time.Sleep(time.Until(start.Add(test.ended)))
				if got := l.since(start.Add(test.began)) > 0; got != test.want {
					t.Errorf("late = %t, want %t", got, test.want)
				}
			})
		})
	}
}

// The measuring goroutine lives while probes run.
func TestLagMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLag(prometheus.NewHistogram(prometheus.HistogramOpts{Name: "delay"}))
		for range 2 {
			l.begin()
			l.begin()
			time.Sleep(time.Second)
			l.end()
			if l.since(time.Now().Add(-time.Second)) > 0 {
				t.Error("late though nothing computes")
			}
			l.end()
			time.Sleep(time.Second)
		}
	})
}

// A probe during which the measuring goroutine was late is marked and counted. That others are not is TestLag's: here
// the machine may be late.
func TestUnreliable(t *testing.T) {
	var late func()
	ready := make(chan struct{})
	server := faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ready; late() }))
	b := newTested(t, parse(t, "targets:\n"+item("late", server)))
	const delay = 20 * lagLimit
	late = func() { b.lag.woke(time.Now().Add(-lagInterval-delay), time.Now()) }
	close(ready)
	state := b.Scrape(t.Context(), 20*time.Second)[0]
	if state.Outcome == nil || state.Outcome.Reliable || state.Outcome.Late < delay {
		t.Errorf("late by %s: %+v, want unreliable by as much", delay, state.Outcome)
	}
	if got := b.own(t, "errno_exporter_probes_unreliable_total"); got != 1 {
		t.Errorf("errno_exporter_probes_unreliable_total is %v, want 1", got)
	}
}

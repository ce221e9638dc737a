package watch

import (
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// A probe during which the exporter was late is marked and counted. That others are not is schedule's test: here the
// machine may be late.
func TestUnreliable(t *testing.T) {
	var late func()
	ready := make(chan struct{})
	server := faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ready; late() }))
	b := newTested(t, parse(t, "targets:\n"+item("late", server)))
	const delay = 200 * time.Millisecond
	late = func() { b.lag.Woke(time.Now().Add(-2*delay), time.Now()) }
	close(ready)
	state := b.Scrape(t.Context(), 20*time.Second)[0]
	if state.Outcome == nil || state.Outcome.Reliable || state.Outcome.Late < delay {
		t.Errorf("late by %s: %+v, want unreliable by as much", delay, state.Outcome)
	}
	if got := b.own(t, "errno_exporter_probes_unreliable_total"); got != 1 {
		t.Errorf("errno_exporter_probes_unreliable_total is %v, want 1", got)
	}
}

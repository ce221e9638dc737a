package watch

import (
	"context"
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// A probe during which the exporter was late is counted, and marked where its durations are by the exporter's clock.
// That others are not is schedule's test: here the machine may be late.
func TestUnreliable(t *testing.T) {
	var late func()
	ready := make(chan struct{})
	server := faultlab.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-ready
		late()
		time.Sleep(10 * tolerated) // nothing else runs that would look whether the response is here
	}))
	b := newTested(t, parse(t, "targets:\n"+item("late", server)))
	const delay = 200 * time.Millisecond
	late = func() { b.lag.Woke(time.Now().Add(-2*delay), time.Now()) }
	close(ready)
	state := b.Scrape(t.Context(), 20*time.Second)[0]
	if state.Outcome == nil || state.Outcome.Reliable || state.Outcome.Late < delay {
		t.Errorf("late by %s: %+v, want unreliable by as much", delay, state.Outcome)
	}
	for _, name := range []string{"errno_exporter_probes_unreliable_total", "errno_exporter_probes_overloaded_total"} {
		if got := b.own(t, name); got != 1 {
			t.Errorf("%s is %v, want 1", name, got)
		}
	}
}

// What a late probe says is true where the kernel says it, or where it can be wrong by little; and not where the
// exporter's own clock does, or ended it.
func TestExact(t *testing.T) {
	const ms = time.Millisecond
	span := func(p result.Phase, took, doubt time.Duration) result.Span {
		return result.Span{Phase: p, Duration: took, Doubt: doubt}
	}
	kernel := []result.Span{span(result.Resolve, 0, 0), span(result.Connect, ms, 0), span(result.TLS, 9*ms, 0),
		span(result.Request, 0, 0), span(result.Processing, 50*ms, ms), span(result.Transfer, ms, ms)}
	resolved := span(result.Resolve, 5*ms, 5*ms)
	joined := span(result.Processing, 50*ms, 3*ms) // by another segment's timestamp, up to 3 ms later
	failed := func(reason result.Reason, origin result.Origin) *result.Failure {
		return &result.Failure{Phase: result.Processing, Reason: reason, Origin: origin, Err: context.DeadlineExceeded}
	}
	hop := func(spans ...result.Span) []result.Hop { return []result.Hop{{Spans: spans}} }
	for _, row := range []struct {
		name    string
		hops    []result.Hop
		failure *result.Failure
		elapsed time.Duration // of 10 s
		want    bool
	}{
		{"by the kernel", hop(kernel...), nil, 60 * ms, true},
		{"it took long, outside of all phases", hop(kernel...), nil, 5 * time.Second, true},
		{"the name was resolved, by the clock", hop(resolved, kernel[1]), nil, 60 * ms, false},
		{"the name was resolved at once", hop(span(result.Resolve, tolerated, tolerated), kernel[1]), nil, 60 * ms, true},
		{"segments may be joined", hop(kernel[0], joined), nil, 60 * ms, false},
		{"one phase of two hops, each by little", append(hop(kernel...), result.Hop{Spans: []result.Span{
			span(result.Processing, 9*ms, 2*ms)}}), nil, 60 * ms, false},
		{"different phases, each by little", hop(span(result.Connect, 2*ms, 2*ms), kernel[4]), nil, 60 * ms, true},
		{"a check refused the response", hop(kernel...), failed(result.HTTPContent, result.Self), 60 * ms, true},
		{"the deadline", hop(kernel...), failed(result.HTTPResponseTimedOut, result.Self), 10 * time.Second, false},
		{"this host failed", hop(kernel...), failed(result.LocalOverloaded, result.Local), 60 * ms, false},
	} {
		r := result.Result{Elapsed: row.elapsed, Timeout: 10 * time.Second, Failure: row.failure,
			Attempts: []result.Attempt{{Hops: row.hops, Failure: row.failure}}}
		if got := exact(&r); got != row.want {
			t.Errorf("%s: exact() = %t with doubts of %s, want %t", row.name, got, r.Doubt(), row.want)
		}
	}
	retried := result.Result{Attempts: []result.Attempt{{Hops: hop(joined)}, {Hops: hop(kernel...)}}}
	if exact(&retried) {
		t.Error("an attempt before the last one: exact() = true, want false: its durations are in the histogram")
	}
}

package watch

import (
	"context"
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/prober/result"
)

// seen is what a caller has of a target: its reason, "" for a success, "nothing" without an outcome.
func seen(s State) result.Reason {
	switch {
	case s.Outcome == nil:
		return "nothing"
	case s.Outcome.Result.Failure == nil:
		return ""
	default:
		return s.Outcome.Result.Failure.Reason
	}
}

// sameProbe reports whether both outcomes are of one probe: the target keeps a summary of what the first caller has.
func sameProbe(a, b *target.Outcome) bool {
	return a != nil && b != nil && a.Record == b.Record && a.Result.Start.Equal(b.Result.Start)
}

// Callers with different deadlines at the same time: each gets what a probe of its own would have given it, within its
// own time. The server answers the first request late, and all others at once, unless it stalls.
func TestSharedByDifferentDeadlines(t *testing.T) {
	const tooSlow = result.HTTPResponseTimedOut
	for _, row := range []struct {
		name          string
		first, second time.Duration // budgets
		stalls        bool
		requests      int64
		want          [2]result.Reason
	}{
		{"a long one joins a short one", 300 * time.Millisecond, 20 * time.Second, false, 2,
			[2]result.Reason{tooSlow, ""}},
		{"a short one joins a long one", 20 * time.Second, 300 * time.Millisecond, false, 2,
			[2]result.Reason{"", tooSlow}},
		{"a long one joins a stalled short one", 300 * time.Millisecond, 2 * time.Second, true, 2,
			[2]result.Reason{tooSlow, tooSlow}},
		{"a short one joins a stalled long one", 2 * time.Second, 300 * time.Millisecond, true, 2,
			[2]result.Reason{tooSlow, tooSlow}},
		{"the same", 20 * time.Second, 20 * time.Second, false, 1, [2]result.Reason{"", ""}},
		{"the same, stalled", time.Second, time.Second, true, 1, [2]result.Reason{tooSlow, tooSlow}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
			t.Cleanup(b.Close)
			got := [2]chan State{make(chan State, 1), make(chan State, 1)}
			scrape := func(ctx context.Context, i int, budget time.Duration) {
				began := time.Now()
				states := b.Scrape(ctx, budget)
				if took := time.Since(began); took > budget+hangs {
					t.Errorf("caller %d took %s of %s", i, took, budget)
				}
				got[i] <- states[0]
			}
			go scrape(t.Context(), 0, row.first)
			<-g.arrived
			second := newWaiting(t.Context())
			go scrape(second, 1, row.second)
			<-second.told
			var states [2]State
			if !row.stalls { // the one with less time ends first, by its deadline
				if row.first < row.second {
					states[0] = <-got[0]
				} else if row.first > row.second {
					states[1] = <-got[1]
				}
				close(g.release)
			}
			for i := range states {
				if states[i].Target == nil {
					states[i] = <-got[i]
				}
				reason := seen(states[i])
				// this machine took longer than the reserve to end the probe
				late := reason == "nothing" && row.want[i] == tooSlow
				if reason != row.want[i] && !late {
					t.Errorf("caller %d has %q, want %q", i, reason, row.want[i])
				}
			}
			if n := g.asked.Load(); n != row.requests {
				t.Errorf("%d requests, want %d", n, row.requests)
			}
		})
	}
}

// hangs is longer than any scheduler keeps a goroutine waiting.
const hangs = 5 * time.Second

// A failure by a short deadline is not passed on to a caller with more time, a success and a failure with as much time
// are.
func TestMinIntervalPassesOn(t *testing.T) {
	for _, row := range []struct {
		name          string
		answer        time.Duration // of the server
		first, second time.Duration
		want          result.Reason // of the second
		same          bool
	}{
		{"a failure by 20 ms to one with 20 s", 200 * time.Millisecond, 20 * time.Millisecond, 20 * time.Second, "",
			false},
		{"a failure by 2 s to one with 2 s", time.Hour, 2 * time.Second, 2 * time.Second,
			result.HTTPResponseTimedOut, true},
		{"a failure by 2 s to one with less", time.Hour, 2 * time.Second, time.Second, result.HTTPResponseTimedOut,
			true},
		{"a success with 5 s to one with 20 s", 0, 5 * time.Second, 20 * time.Second, "", true},
		{"a success with 20 s to one with 20 ms", 0, 20 * time.Second, 20 * time.Millisecond, "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				select { // the server's work
				case <-time.After(row.answer):
				case <-r.Context().Done():
				}
			}))
			b := newTested(t, parse(t, "targets:\n"+item("a", url, "min_interval: 1h")))
			t.Cleanup(b.Close)
			b.ProbeTarget(t.Context(), "a", row.first)
			b.waitFor("a") // the first caller's time may end a moment before its probe does
			second := b.Scrape(t.Context(), row.second)[0]
			if got, passedOn := seen(second), second.Age > 0; got != row.want || passedOn != row.same {
				t.Errorf("the second has %q, the same outcome %t; want %q, %t", got, passedOn, row.want, row.same)
			}
		})
	}
}

// A module's timeout ends a probe before a caller's deadline: who has less time than that caller, and more than the
// module, shares it.
func TestSharedByModuleTimeout(t *testing.T) {
	g := newGate(t)
	c := parse(t, "targets:\n"+item("a", g.url))
	c.Modules["api"].Timeout = time.Second
	b := newTested(t, c)
	t.Cleanup(b.Close)
	long := make(chan State, 1)
	go func() { long <- b.Scrape(t.Context(), 2*time.Minute)[0] }()
	<-g.arrived
	short := b.Scrape(t.Context(), 10*time.Second)[0]
	if other := <-long; other.Outcome == nil || other.Outcome != short.Outcome ||
		seen(short) != result.HTTPResponseTimedOut || g.asked.Load() != 1 {
		t.Errorf("outcomes %p and %p after %d requests, want the same one after 1", short.Outcome, other.Outcome,
			g.asked.Load())
	}
}

// However many deadlines callers come with, the number of a target's probes is bounded.
func TestInFlightIsBounded(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
	t.Cleanup(b.Close)
	const callers = 3 * schedule.MaxInFlight
	all := make(chan State, callers)
	for i := range callers {
		caller := newWaiting(t.Context())
		go func() {
			// each ends sooner than all before
			state, _ := b.ProbeTarget(caller, "a", 29*time.Second-time.Duration(i)*200*time.Millisecond)
			all <- state
		}()
		<-caller.told
	}
	for range schedule.MaxInFlight {
		<-g.arrived
	}
	close(g.release)
	for range callers {
		if s := <-all; seen(s) != "" {
			t.Errorf("a caller has %q, want a success", seen(s))
		}
	}
	if n := g.asked.Load(); n != schedule.MaxInFlight {
		t.Errorf("%d requests, want %d", n, schedule.MaxInFlight)
	}
}

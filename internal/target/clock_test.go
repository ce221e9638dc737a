package target

import (
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Half of the results are from before the clock was set and half from after: all of them are counted, in their order,
// and an hour is sixty minutes of the monotonic clock.
func TestTimelineWhenTheClockIsSet(t *testing.T) {
	start, reset := time.Now(), &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	for _, by := range faultlab.ClockSteps() {
		l := new(state.Timeline)
		var ended time.Time
		for i := range 180 { // a minute each; the last fifty fail
			ended = start.Add(time.Duration(i) * time.Minute)
			if i >= 90 {
				ended = faultlab.ClockSet(ended, by)
			}
			tick := state.Tick{Ended: ended}
			if i >= 130 {
				tick.Failure = reset
			}
			l.Add(tick)
		}
		got := l.At(ended)
		// buckets are five minutes wide: an hour is what has begun since then
		want := [...]state.Share{{Succeeded: 10, Probes: 60}, {Succeeded: 130, Probes: 180},
			{Succeeded: 130, Probes: 180}}
		if [...]state.Share{got.Hour, got.Day, got.All} != want {
			t.Errorf("set by %s: %v, %v and %v, want %v", by, got.Hour, got.Day, got.All, want)
		}
		if since := ended.Sub(got.Since); since != 49*time.Minute {
			t.Errorf("set by %s: it has failed for %s, want 49m", by, since)
		}
	}
}

// A result is handed out again for min_interval of the monotonic clock, and not a moment longer.
func TestMinIntervalWhenTheClockIsSet(t *testing.T) {
	const minInterval = 30 * time.Second
	for _, by := range faultlab.ClockSteps() {
		for _, row := range []struct {
			age   time.Duration
			fresh bool // a probe of its own
		}{{0, false}, {29 * time.Second, false}, {31 * time.Second, true}, {time.Hour, true}} {
			known := &Target{Known: NewKnown(), Config: &config.Target{Module: new(module.Module), MinInterval: minInterval}}
			start := time.Now()
			first, _ := known.Probes.Join(known.Claim(start, start.Add(10*time.Second), 0))
			o := &Outcome{Ended: start, Result: &result.Result{Start: start,
				Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}}
			known.Probes.EndWith(first, o, known.Results.Note(o))
			now := faultlab.ClockSet(start.Add(row.age), by)
			f, fresh := known.Probes.Join(known.Claim(now, now.Add(10*time.Second), 0))
			if fresh != row.fresh || (f.Outcome() == known.Results.Latest()) == fresh {
				t.Errorf("set by %s, a result of %s: its own probe %t, want %t", by, row.age, fresh, row.fresh)
			}
			if fresh && f.Until.Sub(now) != 10*time.Second {
				t.Errorf("set by %s: the probe ends after %s, want 10 s", by, f.Until.Sub(now))
			}
		}
	}
}

// What callers usually give is forgotten after ten minutes of the monotonic clock.
func TestUsualWhenTheClockIsSet(t *testing.T) {
	start := time.Now()
	for _, by := range faultlab.ClockSteps() {
		u := new(usual)
		for i := range 3 {
			u.counts(ending{at: start.Add(time.Duration(i) * time.Second), allowed: 10 * time.Second})
		}
		soon, late := faultlab.ClockSet(start.Add(time.Minute), by), faultlab.ClockSet(start.Add(11*time.Minute), by)
		for _, row := range []struct {
			at     time.Time
			counts bool
		}{{soon, false}, {late, true}} {
			if got := u.counts(ending{at: row.at, allowed: time.Second, cut: true}); got != row.counts {
				t.Errorf("set by %s: a failure by a deadline of 1 s after %s counts %t, want %t", by, row.at.Sub(start), got,
					row.counts)
			}
		}
	}
}

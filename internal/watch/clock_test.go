package watch

import (
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// clockSteps are what somebody does to the system's clock while the exporter runs.
var clockSteps = []time.Duration{-365 * 24 * time.Hour, -24 * time.Hour, -time.Hour, -time.Second, 0, time.Second,
	time.Hour, 24 * time.Hour, 365 * 24 * time.Hour}

// Half of the results are from before the clock was set and half from after: all of them are counted, in their order,
// and an hour is sixty minutes of the monotonic clock.
func TestTimelineWhenTheClockIsSet(t *testing.T) {
	start, reset := time.Now(), &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	for _, by := range clockSteps {
		l := new(timeline)
		var ended time.Time
		for i := range 180 { // a minute each; the last fifty fail
			ended = start.Add(time.Duration(i) * time.Minute)
			if i >= 90 {
				ended = faultlab.ClockSet(ended, by)
			}
			tick := Tick{Record: uint64(i + 1), Ended: ended}
			if i >= 130 {
				tick.Failure = reset
			}
			l.add(tick)
		}
		got := l.at(ended)
		// buckets are five minutes wide: an hour is what has begun since then
		if want := [...]Share{{10, 60}, {130, 180}, {130, 180}}; [...]Share{got.Hour, got.Day, got.All} != want {
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
	for _, by := range clockSteps {
		for _, row := range []struct {
			age   time.Duration
			fresh bool // a probe of its own
		}{{0, false}, {29 * time.Second, false}, {31 * time.Second, true}, {time.Hour, true}} {
			target := &target{memo: newMemo(), config: &config.Target{Module: new(module.Module), MinInterval: minInterval}}
			start := time.Now()
			target.last = &Outcome{Result: &result.Result{Start: start}, Ended: start}
			now := faultlab.ClockSet(start.Add(row.age), by)
			f, fresh := target.join(claim{now: now, until: now.Add(10 * time.Second), allowed: 10 * time.Second})
			if fresh != row.fresh || (f.outcome == target.last) == fresh {
				t.Errorf("set by %s, a result of %s: its own probe %t, want %t", by, row.age, fresh, row.fresh)
			}
			if fresh && f.ends.Sub(now) != 10*time.Second {
				t.Errorf("set by %s: the probe ends after %s, want 10 s", by, f.ends.Sub(now))
			}
		}
	}
}

// What callers usually give is forgotten after ten minutes of the monotonic clock.
func TestUsualWhenTheClockIsSet(t *testing.T) {
	start := time.Now()
	for _, by := range clockSteps {
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

// The age of a result, which is a sample, goes by the monotonic clock.
func TestAgeWhenTheClockIsSet(t *testing.T) {
	ended := time.Now()
	for _, by := range clockSteps {
		var s State
		if s.has(&Outcome{Ended: ended}, faultlab.ClockSet(ended.Add(time.Minute), by)); s.Age != time.Minute {
			t.Errorf("set by %s: a result of a minute has the age %s", by, s.Age)
		}
	}
}

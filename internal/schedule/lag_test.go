package schedule

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"errno_exporter/guard"
)

// delays counts measurements.
type delays struct{ n atomic.Int64 }

func (d *delays) Observe(float64) { d.n.Add(1) }

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
				l := NewLag(new(delays), func(p *guard.Panic) { t.Error(p) })
				l.woken = start
				for _, w := range test.wakes {
					time.Sleep(time.Until(start.Add(w.at)))
					l.Woke(time.Now().Add(-w.slept), time.Now())
				}
				time.Sleep(time.Until(start.Add(test.ended)))
				if got := l.Since(start.Add(test.began)) > 0; got != test.want {
					t.Errorf("late = %t, want %t", got, test.want)
				}
			})
		})
	}
}

// The measuring goroutine lives while probes run.
func TestLagMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLag(new(delays), func(p *guard.Panic) { t.Error(p) })
		for range 2 {
			l.Begin()
			l.Begin()
			time.Sleep(time.Second)
			l.End()
			if l.Since(time.Now().Add(-time.Second)) > 0 {
				t.Error("late though nothing computes")
			}
			l.End()
			time.Sleep(time.Second)
		}
	})
}

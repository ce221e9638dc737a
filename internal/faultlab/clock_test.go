package faultlab_test

import (
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// By the monotonic clock nothing has happened, and by the system's it was set.
func TestClockSet(t *testing.T) {
	now := time.Now()
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, 0, time.Second, 24 * time.Hour} {
		set := faultlab.ClockSet(now, by)
		if apart, wall := set.Sub(now), set.Round(0).Sub(now.Round(0)); apart != 0 || wall != by {
			t.Errorf("set by %s: %s apart by the monotonic clock and %s by the system's, want 0 and %s", by, apart, wall, by)
		}
	}
}

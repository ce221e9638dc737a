package watch

import (
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/target"
)

// The age of a result, which is a sample, goes by the monotonic clock.
func TestAgeWhenTheClockIsSet(t *testing.T) {
	ended := time.Now()
	for _, by := range faultlab.ClockSteps() {
		var s State
		if s.has(&target.Outcome{Ended: ended}, faultlab.ClockSet(ended.Add(time.Minute), by)); s.Age != time.Minute {
			t.Errorf("set by %s: a result of a minute has the age %s", by, s.Age)
		}
	}
}

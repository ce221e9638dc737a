package watch

import (
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/schedule"
)

// Without probe_policy 1,000 probes are under way at once. The next one waits until one of them ends.
func TestProbesUnderWay(t *testing.T) {
	const most = 1000
	w := newTested(t, parse(t, "targets: []\n"))
	t.Cleanup(w.Close)
	now := time.Now()
	for i := range most {
		if !w.slots.Acquire(t.Context(), now, schedule.Need{N: 1, By: schedule.AdHoc}) {
			t.Fatalf("%d probes are under way, and no slot is left; want %d", i, most)
		}
	}
	if w.slots.Acquire(t.Context(), now, schedule.Need{N: 1, By: schedule.Configured}) {
		t.Errorf("%d probes are under way, and one more has a slot", most)
	}
	w.slots.Release(schedule.Need{N: 1, By: schedule.AdHoc})
	if !w.slots.Acquire(t.Context(), now, schedule.Need{N: 1, By: schedule.AdHoc}) {
		t.Errorf("one of %d probes has ended, and its slot is taken", most)
	}
	claims.Prove(t, "probes under way", most)
}

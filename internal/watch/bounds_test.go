package watch

import (
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/schedule"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
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

// 1,000 connections are kept idle, of all targets together. The next one waits until one of them has ended.
func TestIdleConnectionsAreBounded(t *testing.T) {
	const most = 1000
	w := newTested(t, parse(t, "targets: []\n"))
	t.Cleanup(w.Close)
	m := module.New("m")
	m.Keepalive = []time.Duration{time.Minute}
	pools := make([]*idlePool, most+1)
	for i := range pools {
		pools[i] = newIdlePool(prober.Target{}, m, nil, &w.kept)
		if wants := pools[i].wants(&pools[i].slots[0]); wants != (i < most) {
			t.Fatalf("connection %d is made: %t, want %d of them", i+1, wants, most)
		}
	}
	pools[0].filled(&pools[0].slots[0], nil, 0) // it could not be made
	if !pools[most].wants(&pools[most].slots[0]) {
		t.Errorf("one of %d connections is gone, and none is made in its place", most)
	}
	claims.Prove(t, "connections kept idle", most)
}

package socket

import (
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// A packet's time is since the attempt began, by the monotonic clock: setting the system's clock, at whatever time,
// changes no duration.
func TestClockIsSet(t *testing.T) {
	began := time.Date(2026, 11, 20, 3, 4, 5, 0, time.UTC) // by the system's clock
	const ms = time.Millisecond
	for _, row := range []struct {
		name          string
		stamp         time.Duration // when the packet came, by the system's clock since began; 0 for none
		since, system time.Duration // now by the monotonic clock, and by the system's
		established   time.Duration
		want          time.Duration
		kernel        bool // the packet's time is the kernel's
	}{
		{"not set", 50 * ms, 60 * ms, 60 * ms, ms, 50 * ms, true},
		{"not set, the clocks are read one after the other", 50 * ms, 60 * ms, 60*ms + 90*time.Microsecond, ms,
			50*ms - 90*time.Microsecond, true},
		{"not set, and no timestamp", 0, 60 * ms, 60 * ms, ms, 60 * ms, true},
		{"not set, a timestamp before the connection", ms, 60 * ms, 60 * ms, 2 * ms, 60 * ms, true},
		{"not set, a timestamp after now", 61 * ms, 60 * ms, 60 * ms, 2 * ms, 60 * ms, true},
		{"back before the packet", 50*ms - time.Hour, 60 * ms, 60*ms - time.Hour, ms, 60 * ms, false},
		{"forward before the packet", 50*ms + time.Hour, 60 * ms, 60*ms + time.Hour, ms, 60 * ms, false},
		{"back after the packet", 50 * ms, 60 * ms, 60*ms - time.Hour, ms, 60 * ms, false},
		{"forward after the packet", 50 * ms, 60 * ms, 60*ms + time.Hour, ms, 60 * ms, false},
		{"a little back before the packet", 40 * ms, 60 * ms, 50 * ms, ms, 60 * ms, false},
		{"a little forward before the packet", 55 * ms, 60 * ms, 65 * ms, ms, 60 * ms, false},
		{"a little back after the packet", 50 * ms, 60 * ms, 55 * ms, ms, 60 * ms, false},
		{"a little forward after the packet", 50 * ms, 60 * ms, 65 * ms, ms, 60 * ms, false},
	} {
		r := Recorder{base: moment{0, began}, wire: result.Wire{Established: row.established, KernelTimes: true}}
		var stamp time.Time
		if row.stamp != 0 {
			stamp = began.Add(row.stamp)
		}
		got := r.since(stamp, moment{row.since, began.Add(row.system)})
		if got != row.want || r.wire.KernelTimes != row.kernel {
			t.Errorf("%s: the packet came after %s, by the kernel %t, want %s, %t", row.name, got, r.wire.KernelTimes,
				row.want, row.kernel)
		}
	}
}

// The system's clock has no monotonic reading beside it, by which package time would subtract.
func TestMomentsAreOfTwoClocks(t *testing.T) {
	r := Recorder{start: time.Now().Add(-time.Minute)}
	if m := r.now(); m.wall != m.wall.Round(0) || m.since < time.Minute || m.since > 2*time.Minute {
		t.Errorf("now is %+v, want a minute since the start, and a time of one clock", m)
	}
}

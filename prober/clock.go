package prober

import "time"

// How the kernel's times of packets, which are of the system's clock, become durations. That clock may be set while a
// probe is under way. So two of its times are never subtracted but for the age of a stamp, at the moment that it is
// read, and only while the two clocks go side by side.

// moment is one moment by two clocks.
type moment struct {
	since time.Duration // the monotonic clock, since the attempt began
	wall  time.Time     // the system's clock, which may be set, and by which the kernel stamps packets
}

// now is this moment. The system's clock is read without the monotonic one, which time.Time would compare instead.
func (r *recorder) now() moment {
	now := time.Now()
	return moment{now.Sub(r.start), now.Round(0)}
}

// clockStep is by how much the two clocks may part while none was set: they are read one after the other. Slewing
// (adjtime(3)) changes both.
const clockStep = 100 * time.Microsecond

// since is a time of the kernel's since the attempt began: as long ago as it is by the system's clock. It is the time
// that the monotonic clock gives where the kernel told none, or it cannot be: the system's clock was set.
func (r *recorder) since(at time.Time, now moment) time.Duration {
	if at.IsZero() {
		return now.since
	}
	if apart := now.wall.Sub(r.base.wall) - (now.since - r.base.since); apart.Abs() > clockStep {
		r.wire.KernelTimes = false
		return now.since
	}
	kernel := now.since - now.wall.Sub(at)
	if kernel > now.since || kernel < r.wire.Stood {
		return now.since
	}
	return kernel
}

package socket

import "time"

// How the kernel's timestamps of packets, which are of the system's clock, become durations. That clock may be set
// while a probe is in progress. So two of its times are subtracted only for the age of a timestamp, at the moment that
// it is read, and only while the system's clock and the monotonic one advance together.

// moment is one moment by two clocks.
type moment struct {
	since time.Duration // the monotonic clock, since the attempt began
	wall  time.Time     // the system's clock, which may be set, and of the kernel's timestamps
}

// now is this moment. The system's clock is read without the monotonic one, which time.Time would compare instead.
func (r *Recorder) now() moment { return momentSince(r.start) }

// momentSince is this moment, of an attempt that began at start.
func momentSince(start time.Time) moment {
	now := time.Now()
	return moment{now.Sub(start), now.Round(0)}
}

// steps reports whether the system's clock was set between two moments.
func (m moment) steps(earlier moment) bool {
	step := m.wall.Sub(earlier.wall) - (m.since - earlier.since)
	return step.Abs() > clockStep
}

// clockStep is by how much the two clocks may differ while none was set: they are read one after the other. Slewing
// (adjtime(3)) changes both.
const clockStep = 100 * time.Microsecond

// since is a timestamp of the kernel's as a time since the attempt began: its age is by the system's clock. It is now
// where there is no timestamp, and where there cannot be this one because the system's clock was set.
func (r *Recorder) since(at time.Time, now moment) time.Duration {
	if at.IsZero() {
		return now.since
	}
	if now.steps(r.base) {
		r.wire.KernelTimes = false
		return now.since
	}
	kernel := now.since - now.wall.Sub(at)
	if kernel > now.since || kernel < r.wire.Established {
		return now.since
	}
	return kernel
}

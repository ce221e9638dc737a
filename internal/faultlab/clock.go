package faultlab

import (
	"time"
	"unsafe"
)

// ClockSet is a time as time.Now returns it after somebody has set the system's clock by so many whole seconds: the
// monotonic reading is the same. No package makes such a time, and setting the clock of the machine that tests run on
// is not for a test to do (a time namespace has no CLOCK_REALTIME of its own, time_namespaces(7)).
func ClockSet(t time.Time, by time.Duration) time.Time {
	if t == t.Round(0) {
		panic("faultlab: this time has no monotonic reading")
	}
	wall := (*uint64)(unsafe.Pointer(&t)) // the field wall: a bit, 33 bits of seconds, 30 bits of nanoseconds
	*wall += uint64(by/time.Second) << 30
	return t
}

// ClockSteps are what somebody may do to the system's clock while the exporter runs.
func ClockSteps() []time.Duration {
	return []time.Duration{-365 * 24 * time.Hour, -24 * time.Hour, -time.Hour, -time.Second, 0, time.Second, time.Hour,
		24 * time.Hour, 365 * 24 * time.Hour}
}

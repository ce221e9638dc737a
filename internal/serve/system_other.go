//go:build !unix

package serve

// Descriptors is 0, for no limit: this system has none for handles that a program would reach.
func Descriptors() int { return 0 }

// monotonic reports false: systemd, which expects that clock, does not run on this system.
func monotonic() (int64, bool) { return 0, false }

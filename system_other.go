//go:build !unix

package main

// descriptors is 0, for no bound: handles of this system have none that a program would meet.
func descriptors() int { return 0 }

// monotonic reports false: systemd, which wants that clock, is not on this system.
func monotonic() (int64, bool) { return 0, false }

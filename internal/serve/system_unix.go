//go:build unix

package serve

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Descriptors is the limit of open file descriptors of the process; 0 if the system does not report it. Go has raised
// the soft limit to the hard one by now.
func Descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	const most = 1 << 30 // also where there is no limit
	return int(min(limit.Cur, most))
}

// monotonic is the kernel's monotonic clock in microseconds, as systemd expects it (sd_notify(3)); false if there is
// none.
func monotonic() (int64, bool) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano() / 1000, err == nil
}

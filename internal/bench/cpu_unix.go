//go:build unix

package bench

import (
	"syscall"
	"testing"
	"time"
)

// CPU is the CPU time that this process has used.
func CPU(b testing.TB) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

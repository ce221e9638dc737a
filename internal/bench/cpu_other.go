//go:build !unix

package bench

import (
	"testing"
	"time"
)

// CPU skips the benchmark: getrusage(2) is Unix's.
func CPU(b testing.TB) time.Duration {
	b.Helper()
	b.Skip("skipped: the CPU time of a process is measured by getrusage(2), which this system does not have")
	return 0
}

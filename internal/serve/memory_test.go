package serve

import (
	"math"
	"runtime/debug"
	"testing"
)

// The limit follows the number of targets, unless the user has set one.
func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, row := range []struct {
		name, users string
		targets     int
		want        int64
	}{
		{"no targets", "", 0, 112 << 20},
		{"1024 targets", "", 1024, 144 << 20},
		{"the user's own", "1GiB", 1024, math.MaxInt64},
		{"switched off by the user", "off", 1024, math.MaxInt64},
	} {
		t.Setenv("GOMEMLIMIT", row.users)
		debug.SetMemoryLimit(math.MaxInt64)
		LimitMemory(row.targets)
		if got := debug.SetMemoryLimit(-1); got != row.want {
			t.Errorf("%s: the limit is %d, want %d", row.name, got, row.want)
		}
	}
}

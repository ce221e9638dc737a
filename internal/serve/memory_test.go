package serve

import (
	"math"
	"runtime/debug"
	"testing"

	"errno_exporter/config"
	"errno_exporter/prober/module"
)

// The limit follows the number of targets and is larger with HTTP/3, unless the user has set one.
func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, row := range []struct {
		name, users string
		targets     int
		http3       bool
		want        int64
	}{
		{"no targets", "", 0, false, 112 << 20},
		{"1024 targets", "", 1024, false, 144 << 20},
		{"1024 targets, HTTP/3", "", 1024, true, 256 << 20},
		{"the user's own", "1GiB", 1024, true, math.MaxInt64},
		{"switched off by the user", "off", 1024, true, math.MaxInt64},
	} {
		t.Setenv("GOMEMLIMIT", row.users)
		debug.SetMemoryLimit(math.MaxInt64)
		m := module.New("m")
		m.EnableHTTP3 = row.http3
		LimitMemory(&config.Config{Targets: make([]*config.Target, row.targets),
			Modules: map[string]*module.Module{"other": module.New("other"), "m": m}})
		if got := debug.SetMemoryLimit(-1); got != row.want {
			t.Errorf("%s: the limit is %d, want %d", row.name, got, row.want)
		}
	}
}

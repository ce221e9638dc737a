package serve

import (
	"os"
	"runtime/debug"
)

// The limit of memory beyond which Go collects garbage more eagerly. By default it lets the heap double between
// collections, so that 600 hostile answers at once, which need 100 MB, would take 300. The limit is soft: what is
// needed is allocated beyond it. It is the sum of the bounds in docs/security.md and of what each configured target
// takes, so that large configurations do not collect all the time.
const (
	memoryBase      = 112 << 20
	memoryPerTarget = 32 << 10
)

// LimitMemory sets the limit for this number of configured targets, unless the user did (GOMEMLIMIT, see package
// runtime). Each reload calls it.
func LimitMemory(targets int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryBase + memoryPerTarget*int64(targets))
	}
}

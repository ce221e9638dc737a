package serve

import (
	"os"
	"runtime/debug"

	"errno_exporter/config"
)

// The limit of memory beyond which Go collects garbage more eagerly. By default it lets the heap double between
// collections, so that 600 hostile answers at once, which need 100 MB, would take 300. The limit is soft: what is
// needed is allocated beyond it. It is the sum of the bounds in docs/security.md and of what each configured target
// takes, so that large configurations do not collect all the time. HTTP/3 needs more: a thousand probes that wait hold
// more than the base, and beyond the limit collecting garbage takes so much CPU time that servers give up handshakes.
const (
	memoryBase      = 112 << 20
	memoryHTTP3     = 112 << 20 // if a module has it
	memoryPerTarget = 32 << 10
)

// LimitMemory sets the limit for a configuration, unless the user did (GOMEMLIMIT, see package runtime). Each reload
// calls it.
func LimitMemory(c *config.Config) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := memoryBase + memoryPerTarget*int64(len(c.Targets))
	for _, m := range c.Modules {
		if m.EnableHTTP3 {
			limit += memoryHTTP3
			break
		}
	}
	debug.SetMemoryLimit(limit)
}

package main

import (
	"os"
	"runtime/debug"
)

// How much memory Go may take before it collects garbage more eagerly. By itself it lets the heap double between collections, so that 600 hostile
// answers at once, which need 100 MB, would take 300. The limit is soft: what is needed is allocated beyond it. It is what the bounds of
// docs/security.md come to together with what every configured target takes, so that large configurations do not collect without end.
const (
	memoryBase      = 112 << 20
	memoryPerTarget = 32 << 10
)

// limitMemory sets the limit for so many configured targets, unless the user did (GOMEMLIMIT, see package runtime). Each reload calls it again.
func limitMemory(targets int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryBase + memoryPerTarget*int64(targets))
	}
}

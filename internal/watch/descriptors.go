package watch

import (
	"math"

	"errno_exporter/config"
)

// How file descriptors are shared out: a probe that runs out of them (EMFILE) would tell of us and not of its target, so it waits until there
// are enough.
//
//   - A quarter of those that the process may have is for everything else: the scrapes that ask, files, the runtime.
//   - Of the rest, each kept connection has one, and each probe under way what it may need at once.

// descriptorsFor is how many descriptors the probes under a configuration may have together.
func descriptorsFor(c *config.Config, limit int) int {
	if limit <= 0 {
		return math.MaxInt / 2
	}
	kept := 0
	for _, t := range c.Targets {
		kept += len(t.Module.Keepalive)
	}
	return max(1, limit-limit/4-min(kept, maxKept))
}

// descriptorsOf is how many descriptors a probe may need at once: its questions for A and AAAA side by side, or a connection and the copy by
// which it is watched while it is made.
func descriptorsOf(m *config.Module) int {
	n := 2
	if m.AllAddresses {
		n = 2 * config.MaxAddresses
	}
	if m.Resolver != nil && m.Resolver.CompareSystem {
		n += 2
	}
	return n
}

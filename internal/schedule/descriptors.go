package schedule

import (
	"math"

	"errno_exporter/prober/module"
)

// How file descriptors are shared out: a probe that runs out of them (EMFILE) would tell of us and not of its target,
// so it waits until there are enough.
//
//   - A quarter of those that the process may have is for clients' connections, an eighth for everything else: files,
//     the runtime.
//   - Of the rest, each idle connection has one, and each probe under way what it may need at once. As much of it as
//     the configured targets need, at most a half, is not for the targets of /probe that are not configured.

// maxConnections bounds the clients' connections where file descriptors do not.
const maxConnections = 4096

// Connections is how many clients may be connected at once, of a process that may have so many file descriptors; 0 for
// no bound.
func Connections(limit int) int {
	if limit <= 0 {
		return maxConnections
	}
	return max(4, min(limit/4, maxConnections))
}

// Descriptors is how many file descriptors probes may have together, of a process that may have so many (0 for no
// bound) and keeps so many connections idle.
func Descriptors(limit, idle int) int {
	if limit <= 0 {
		return math.MaxInt / 2
	}
	return max(1, limit-limit/4-limit/8-idle)
}

// DescriptorsOf is how many file descriptors a probe may need at once: its questions for A and AAAA side by side, or a
// connection and the copy by which it is watched while it is made.
func DescriptorsOf(m *module.Module) int {
	n := 2
	if m.AllAddresses {
		n = 2 * module.MaxAddresses
	}
	if m.Resolver != nil && m.Resolver.CompareSystem {
		n += 2
	}
	return n
}

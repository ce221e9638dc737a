package result

import (
	"net/netip"
	"slices"
)

// Comparison is what the system's resolver said beside the configured servers. One that answers otherwise may be stale,
// or see another view of the zone.
type Comparison struct {
	Answers []netip.Addr // the system's; empty if it failed
	Lookup  *Lookup
	Failure *Failure // of the system's resolver; nil if it answered
}

// Overlap reports whether the configured answers and the system's have an address in common.
func (c *Comparison) Overlap(configured []netip.Addr) bool {
	return slices.ContainsFunc(c.Answers, func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

// Stale are the system's addresses that the configured answers do not have.
func (c *Comparison) Stale(configured []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(c.Answers),
		func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

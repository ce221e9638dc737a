package prober

import (
	"net/netip"
	"slices"
	"strings"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The policy is compared with the address that is about to be dialled, after resolution, for every hop and every
// address. A Result does not contain an address that the policy denies, except in a DeniedError: whoever reads about a
// probe learns that a name leads to a denied network, and not where.

// policy is what applies to a hop; nil if nothing does. The host of a configured target is the operator's choice.
func (h *hop) policy() *module.Networks {
	t := &h.attempt.target
	if t.Configured && strings.EqualFold(h.request.URL.Hostname(), t.URL.Hostname()) {
		return nil
	}
	return t.Policy
}

// permitted compares the address that is about to be dialled with the policy, and removes denied addresses from the
// record. Behind a proxy it is the address that the name has here, or that the URL spells out: what the proxy reaches
// is the proxy's to decide, and its own address is the operator's choice.
func (h *hop) permitted(host string) error {
	policy := h.policy()
	if policy == nil {
		return nil
	}
	addr := h.Addr.Addr()
	if !addr.IsValid() {
		addr, _ = literal(host)
	}
	if !addr.IsValid() { // a name for a proxy to resolve, which may read it as inet_aton does
		addr, _ = module.SpeltIPv4(host)
	}
	h.Answers = allowed(h.Answers, policy)
	if network, denied := policy.Denies(addr); denied {
		h.Addr = netip.AddrPort{}
		return &result.DeniedError{Addr: addr, Network: network}
	}
	return nil
}

// allowed are the addresses that a policy does not deny.
func allowed(addrs []netip.Addr, policy *module.Networks) []netip.Addr {
	denied := func(addr netip.Addr) bool { _, denied := policy.Denies(addr); return denied }
	if !slices.ContainsFunc(addrs, denied) {
		return addrs
	}
	return slices.DeleteFunc(slices.Clone(addrs), denied)
}

package prober

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"errno_exporter/config"
)

// The policy is compared with the address that is about to be dialled, after resolution, for every hop and every address. A Result does not
// contain an address that the policy denies, except in a DeniedError: whoever reads about a probe learns that a name leads to a denied
// network, and not where.

// DeniedError says that the policy forbids an address. It is the Err of a Failure with reason local.denied and origin self.
type DeniedError struct {
	Addr    netip.Addr   // for logs; no answer to a client shows it
	Network netip.Prefix // of the policy; likewise
}

// Error names where it is configured, and neither the address nor the network: it is shown to the client, for whom the name may stand alone.
func (e *DeniedError) Error() string {
	return "the address is in a network that probe_policy denies (deny_networks)"
}

// Denied is why the policy forbade the target itself; nil if it did not. A redirect that was forbidden is a failure like others.
func (r *Result) Denied() *DeniedError {
	if r.Failure == nil || len(r.Last().Hops) > 1 {
		return nil
	}
	return deniedBy(r.Failure)
}

// deniedBy is why the policy forbade what failed; nil if that was not the reason.
func deniedBy(f *Failure) *DeniedError {
	if f == nil {
		return nil
	}
	denied, _ := errors.AsType[*DeniedError](f.Err)
	return denied
}

// policy is what applies to a hop; nil if nothing does. The host of a configured target is the operator's choice.
func (h *hop) policy() *config.Policy {
	t := &h.attempt.target
	if t.Configured && strings.EqualFold(h.request.URL.Hostname(), t.URL.Hostname()) {
		return nil
	}
	return t.Policy
}

// permitted compares the address that is about to be dialled with the policy, and removes denied addresses from the record. Behind a proxy it is
// the address that the name has here, or that the URL spells out: what the proxy reaches is the proxy's to decide, and its own address is the
// operator's choice.
func (h *hop) permitted(host string) error {
	policy := h.policy()
	if policy == nil {
		return nil
	}
	addr := h.Addr.Addr()
	if !addr.IsValid() {
		addr, _ = literal(host)
	}
	h.Answers = allowed(h.Answers, policy)
	if network, denied := policy.Denies(addr); addr.IsValid() && denied {
		h.Addr = netip.AddrPort{}
		return &DeniedError{addr, network}
	}
	return nil
}

// allowed are the addresses that a policy does not deny.
func allowed(addrs []netip.Addr, policy *config.Policy) []netip.Addr {
	denied := func(addr netip.Addr) bool { _, denied := policy.Denies(addr); return denied }
	if !slices.ContainsFunc(addrs, denied) {
		return addrs
	}
	return slices.DeleteFunc(slices.Clone(addrs), denied)
}

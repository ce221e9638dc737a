package prober

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// DeniedError says that the policy forbids an address. It is the Err of a Failure with reason local.denied and origin self.
type DeniedError struct {
	Addr    netip.Addr
	Network netip.Prefix // of the policy
}

// Error names the address, the network, and where that is configured.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("address %s is in %s, which probe_policy denies (deny_networks)", e.Addr, e.Network)
}

// Denied is why the policy forbade the target itself; nil if it did not. A redirect that was forbidden is a failure like others.
func (r *Result) Denied() *DeniedError {
	if r.Failure == nil || len(r.Last().Hops) > 1 {
		return nil
	}
	denied, _ := errors.AsType[*DeniedError](r.Failure.Err)
	return denied
}

// permitted holds the address that is about to be dialled against the policy. Behind a proxy it is the address that the name has here, or
// that the URL spells out: what the proxy reaches is the proxy's to decide, and its own address is the operator's choice.
func (h *hop) permitted(host string) error {
	t := &h.attempt.target
	if t.Policy == nil || t.Configured && strings.EqualFold(h.request.URL.Hostname(), t.URL.Hostname()) {
		return nil
	}
	addr := h.Addr.Addr()
	if !addr.IsValid() {
		addr, _ = literal(host)
	}
	if network, denied := t.Policy.Denies(addr); addr.IsValid() && denied {
		return &DeniedError{addr, network}
	}
	return nil
}

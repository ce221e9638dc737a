package result

import (
	"errors"
	"net/netip"
)

// DeniedError says that the policy forbids an address. It is the Err of a Failure with reason local.denied and origin
// self.
type DeniedError struct {
	Addr    netip.Addr   // for logs; no answer to a client shows it
	Network netip.Prefix // of the policy; likewise
}

// Error names where it is configured, and neither the address nor the network: it is shown to the client, for whom the
// name may stand alone.
func (e *DeniedError) Error() string {
	return "the address is in a network that probe_policy denies (deny_networks)"
}

// Denied is why the policy forbade the target itself; nil if it did not. A redirect that was forbidden is a failure
// like others.
func (r *Result) Denied() *DeniedError {
	if r.Failure == nil || len(r.Last().Hops) > 1 {
		return nil
	}
	return DeniedBy(r.Failure)
}

// DeniedBy is why the policy forbade what failed; nil if that was not the reason.
func DeniedBy(f *Failure) *DeniedError {
	if f == nil {
		return nil
	}
	denied, _ := errors.AsType[*DeniedError](f.Err)
	return denied
}

package result

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// What the exporter itself ends: an address that its policy forbids, a bug, a wait that cost too much of the time.

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

// PanicError is a bug of ours that ended an attempt: the Err of a Failure with reason unknown. It ends nothing else.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error is the value of the panic, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Panicked is the bug of ours that ended the probe; nil if none did.
func (r *Result) Panicked() *PanicError {
	if r.Failure == nil {
		return nil
	}
	err, _ := errors.AsType[*PanicError](r.Failure.Err)
	return err
}

// ShortenedBy notes that the exporter itself took so much of the time that the probe was meant to have. A failure by a
// deadline that came too soon is then the exporter's, and not the target's.
func (r *Result) ShortenedBy(waited time.Duration) {
	if waited <= (r.Timeout+waited)/shortened || !r.TimedOut() {
		return
	}
	f := *r.Failure
	f.Reason, f.Errno, f.Origin = LocalOverloaded, 0, Local
	f.Err = fmt.Errorf("the exporter waited for %s of the probe's time for a slot, and then: %w",
		waited.Round(time.Millisecond), cause(r.Failure))
	r.Failure = &f
	r.Last().Failure = &f
}

// shortened is the share of a probe's time that may be lost before the failure counts as the exporter's: a tenth.
const shortened = 10

// TimedOut reports whether the probe failed by its own deadline.
func (r *Result) TimedOut() bool {
	f := r.Failure
	return f != nil && f.Reason != Abandoned && (f.Origin == Self || f.Origin == Kernel) &&
		r.Elapsed >= r.Timeout-time.Millisecond
}

// cause is the error of a failure, never nil.
func cause(f *Failure) error {
	if f.Err != nil {
		return f.Err
	}
	return errors.New(f.Sentence())
}

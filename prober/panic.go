package prober

import (
	"errors"

	"errno_exporter/guard"
)

// PanicError is a bug of ours that ended an attempt: the Err of a Failure with reason unknown. It ends nothing else.
type PanicError = guard.Panic

// Panicked is the bug of ours that ended the probe; nil if none did.
func (r *Result) Panicked() *PanicError {
	if r.Failure == nil {
		return nil
	}
	err, _ := errors.AsType[*PanicError](r.Failure.Err)
	return err
}

// guarded runs an attempt. Its panic, or one of a goroutine that works for it, becomes the attempt's failure.
func (a *attempt) guarded(whole func()) {
	caught := guard.Try(whole)
	if aside := a.aside.Swap(&tooLate); caught == nil {
		caught = aside
	}
	if caught != nil {
		a.panicked(caught)
	}
}

// tooLate takes the place of a panic in an attempt that is over.
var tooLate PanicError

// caught is called with the panic of a goroutine that works for the attempt, and that nothing waits for. Once the attempt is over it is the
// Prober's to report.
func (a *attempt) caught(p *guard.Panic) {
	if !a.aside.CompareAndSwap(nil, p) && a.prober.options.Panicked != nil {
		a.prober.options.Panicked(p)
	}
}

// panicked ends the attempt in the phase that was, or was about to be, under way.
func (a *attempt) panicked(err *PanicError) {
	if a.hop == nil {
		a.newHop(a.newRequest(a.module.Method, a.firstURL(), a.module.Header.Clone(), nil))
	}
	phase, began := Resolve, a.elapsed()
	if last := len(a.hop.Spans) - 1; last >= 0 {
		span := a.hop.Spans[last]
		began = span.Start + span.Duration
		if phase = a.hop.after(span.Phase); span.Failed {
			phase, began = span.Phase, span.Start
			a.hop.Spans = a.hop.Spans[:last]
		}
	}
	a.hop.fail(phase, began, Failure{Reason: Unknown, Origin: Self, Err: err})
}

// after is the phase that follows one in this hop.
func (h *hop) after(p Phase) Phase {
	switch p {
	case Resolve:
		return Connect
	case Connect, Proxy:
		if h.request.URL.Scheme == "https" {
			return TLS
		}
		return Request
	case TLS:
		return Request
	case Request:
		return Processing
	case Processing:
		return Transfer
	}
	return Validate
}

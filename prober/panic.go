package prober

import (
	"errors"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
)

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
var tooLate guard.Panic

// caught is called with the panic of a goroutine that works for the attempt, and that nothing waits for. Once the
// attempt is over it is the Prober's to report.
func (a *attempt) caught(p *guard.Panic) {
	if !a.aside.CompareAndSwap(nil, p) && a.prober.options.Panicked != nil {
		a.prober.options.Panicked(p)
	}
}

// bug is a panic in an error's chain as results have it; other errors stay as they are.
func bug(err error) error {
	if p, ok := errors.AsType[*guard.Panic](err); ok {
		return &result.PanicError{Value: p.Value, Stack: p.Stack}
	}
	return err
}

// panicked ends the attempt in the phase that was, or was about to be, under way.
func (a *attempt) panicked(caught *guard.Panic) {
	if a.hop == nil {
		a.newHop(a.newRequest(a.module.Method, a.firstURL(), a.module.Header.Clone(), nil))
	}
	phase, began := result.Resolve, a.elapsed()
	if last := len(a.hop.Spans) - 1; last >= 0 {
		span := a.hop.Spans[last]
		began = span.Start + span.Duration
		if phase = a.hop.after(span.Phase); span.Failed {
			phase, began = span.Phase, span.Start
			a.hop.Spans = a.hop.Spans[:last]
		}
	}
	a.hop.fail(phase, began, result.Failure{Reason: result.Unknown, Origin: result.Self, Err: caught})
}

// after is the phase that follows one in this hop.
func (h *hop) after(p result.Phase) result.Phase {
	switch p {
	case result.Resolve:
		return result.Connect
	case result.Connect, result.Proxy:
		if p == result.Connect && h.Proxy != "" {
			return result.Proxy
		}
		if h.request.URL.Scheme == "https" {
			return result.TLS
		}
		return result.Request
	case result.TLS:
		return result.Request
	case result.Request:
		return result.Processing
	case result.Processing:
		return result.Transfer
	}
	return result.Validate
}

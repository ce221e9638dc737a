package prober

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How an attempt is repeated.
//
//   - Only after one that failed, of a method that may be repeated (RFC 9110 section 9.2.2), and while there is time
//     for the wait.
//   - The wait doubles from initial_backoff to max_backoff. Half of it is left to chance: clients that failed together
//     do not come back together.
//   - A Retry-After of the server (RFC 9110 section 10.2.3) is waited for if it is longer, and ends it if it is too
//     long.

// attempts makes an attempt, and again as the module says.
func (p *Prober) attempts(first *attempt) []result.Attempt {
	m := first.module
	first.run()
	all := []result.Attempt{first.record}
	backoff := m.Retry.InitialBackoff
	for len(all) < m.Retry.Attempts {
		last := &all[len(all)-1]
		if !repeatable(last, m) || !wait(first.ctx, max(jittered(backoff), retryAfter(last))) {
			break
		}
		backoff = min(2*backoff, m.Retry.MaxBackoff)
		a := p.newAttempt(first.ctx, first.target, m, first.traceID)
		a.addr, a.answers, a.lookup = first.addr, first.answers, first.lookup
		a.run()
		all = append(all, a.record)
	}
	return all
}

// repeatable reports whether an attempt failed in a way that another one may avoid.
func repeatable(a *result.Attempt, m *module.Module) bool {
	if a.Failure == nil || a.Failure.Reason == result.ProbeConfig || a.Failure.Reason == result.Abandoned {
		return false
	}
	if result.DeniedBy(a.Failure) != nil {
		return false
	}
	return m.RetryNonIdempotent || slices.Contains(idempotent, m.Method)
}

var idempotent = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut,
	http.MethodDelete}

// jittered is between half of a wait and all of it.
func jittered(backoff time.Duration) time.Duration {
	half := backoff / 2
	return half + rand.N(half+1)
}

// wait waits, and reports whether there was time for it: not beyond the deadline, where nothing could follow.
func wait(ctx context.Context, d time.Duration) bool {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter is what the last response asks to wait: seconds, or a date. 0 if it asks for nothing that can be read.
func retryAfter(a *result.Attempt) time.Duration {
	response := a.LastHop().Response
	if response == nil {
		return 0
	}
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

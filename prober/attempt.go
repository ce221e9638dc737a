package prober

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// attempt is one try while it goes on.
type attempt struct {
	prober    *Prober
	ctx       context.Context
	module    *module.Module
	target    Target
	traceID   string
	start     time.Time
	record    result.Attempt
	answers   []netip.Addr                // all that were found with it
	lookup    *result.Lookup              // by which
	addr      netip.Addr                  // the target's address to use, found before; zero: resolve its name
	compared  func() *result.Comparison   // waits for the system's resolver; nil unless it was asked beside
	take      func([]byte)                // is given the body of a response that is as it should be; may be nil
	found     func(*hop)                  // is told of the target's addresses, once; may be nil
	hop       *hop                        // the last one; nil before the first
	staysOpen bool                        // the connection is wanted after the exchange
	stop      result.Phase                // the last phase that is wanted; empty for all
	segment   int                         // the maximum segment size; 0 for the kernel's choice
	ttl       int                         // of the packets; 0 for the kernel's choice
	minTTL    minTTL                      // of what arrives from a phase on
	hello     helloChange                 // of the ClientHello to the target
	aside     atomic.Pointer[guard.Panic] // of a goroutine that works for it; tooLate when it is over
	rooms     rooms                       // in memory, for what is large
	proxies   []string                    // secrets of the proxies that were used
	mask      *module.Mask                // of all that is secret in it, once it is over; may be nil
	left      bool                        // a redirect led to another origin: credentials stay behind from there on
}

func (a *attempt) elapsed() time.Duration { return time.Since(a.start) }

func (p *Prober) newAttempt(ctx context.Context, t Target, m *module.Module, traceID string) *attempt {
	a := &attempt{prober: p, ctx: ctx, module: m, target: t, traceID: traceID, start: time.Now()}
	a.record.Start = a.start
	a.record.Hops = make([]result.Hop, 0, 1)
	return a
}

// run runs one attempt and returns its last hop.
func (a *attempt) run() *hop {
	a.guarded(a.runHops)
	a.seal()
	return a.hop
}

// runHops runs the hops of one attempt: the target, and one more for each redirect followed.
func (a *attempt) runHops() {
	defer func() {
		if a.compared != nil {
			a.record.Hops[0].Compared = a.comparison()
		}
		a.record.Elapsed = a.elapsed()
	}()
	h := a.newHop(a.firstRequest())
	body := h.run()
	if h.failure == nil && a.stop != "" {
		return
	}
	if h.failure == nil && a.follows(h) {
		body = a.follow()
		h = a.hop
	}
	h.validate(body)
	if h.failure == nil && a.take != nil {
		a.take(body)
	}
	if h.failure == nil && h.Response != nil {
		h.Response.Body = nil
	}
}

func (a *attempt) newHop(request *http.Request) *hop {
	a.record.Hops = append(a.record.Hops, result.Hop{URL: result.Cut(a.module.MaskURL(request.URL), result.MaxShownURL),
		Spans: make([]result.Span, 0, 8)})
	a.hop = &hop{Hop: a.record.LastHop(), attempt: a, bare: request, request: request, waited: a.waitedForRoom()}
	return a.hop
}

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
	if m.Retry.Attempts > 1 {
		all = p.retries(first, all)
	}
	return all
}

// retries makes the attempts after the first, as the module says.
func (p *Prober) retries(first *attempt, all []result.Attempt) []result.Attempt {
	m := first.module
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

package prober

import (
	"context"
	"net/http"
	"net/netip"
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

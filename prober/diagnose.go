package prober

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"errno_exporter/config"
)

// How a failure is looked into: experiments after it, attempts of which each changes one thing.
//
//   - One proves something only as A-B-A: after the changed attempt worked, the original is repeated, and must fail again. That is done twice:
//     where half of the attempts fail, once is luck. An original that works ends all of it: what fails now and then is not explained by changes.
//   - A change of the method proves nothing, so a plain request is made for GET and HEAD alone: that a GET works says nothing about a failing PUT.
//   - They are few, chosen by the failure, and made one after the other. A target that limits our rate is left alone, and a request that may
//     not be repeated is not.
//   - They go to the address that failed, unless it is the address that is changed.

// ControlKind is what an experiment changes.
type ControlKind string

// The experiments.
const (
	Again         ControlKind = "again"          // nothing: was it transient?
	OtherAddress  ControlKind = "other_address"  // another address of the name, of the same family
	OtherFamily   ControlKind = "other_family"   // IPv6 instead of IPv4, or the other way
	TCPOnly       ControlKind = "tcp_only"       // connect, and no more
	TLSOnly       ControlKind = "tls_only"       // connect and handshake, and no more
	PlainRequest  ControlKind = "plain_request"  // GET, without the module's headers, body and credentials
	HTTP1         ControlKind = "http1"          // HTTP/1.1 where HTTP/2 was spoken
	MoreTime      ControlKind = "more_time"      // three times the timeout
	SmallSegments ControlKind = "small_segments" // a maximum segment size of 1000 bytes
	FreshAddress  ControlKind = "fresh_address"  // an address that only the other resolver gives
	ClosedPort    ControlKind = "closed_port"    // one SYN to port 1 of the same host
	NeverRouted   ControlKind = "never_routed"   // an address that no network has: who accepts is near us
	Trace         ControlKind = "trace"          // SYNs that live for 1, 2, … hops
)

// HelloPrefix begins the kinds that change the ClientHello.
const HelloPrefix = "hello_"

// Control is one experiment.
type Control struct {
	Kind    ControlKind
	Attempt Attempt  // of all but Trace and ClosedPort
	Failure *Failure // nil if it succeeded
	Hops    []TraceHop
	TTL     uint8 // of the RST that answered, with ClosedPort; 0 if not captured
}

// TraceHop is what answered a SYN that was to live for so many hops.
type TraceHop struct {
	From    netip.Addr // zero for silence
	Reached bool       // it was the target: the connection came about, or was refused by it
}

const (
	maxControls     = 6  // kinds
	maxAttempts     = 14 // with their repetitions
	closedPort      = 1  // tcpmux, which nobody runs
	moreTime        = 3
	longestControl  = 60 * time.Second
	smallSegments   = 1000
	maxTrace        = 16
	tracePatience   = 400 * time.Millisecond
	maxSilentTraces = 3
	knockPatience   = time.Second
)

// Diagnose makes the experiments that a failed probe calls for, until the context ends. A probe that succeeded calls for none.
func (p *Prober) Diagnose(ctx context.Context, r *Result, m *config.Module) []Control {
	var made []Control
	// try makes one, and reports whether it worked.
	try := func(kind ControlKind) (worked bool) {
		if ctx.Err() != nil || len(made) >= maxAttempts {
			return false
		}
		made = append(made, p.control(ctx, kind, r, m))
		return made[len(made)-1].Failure == nil
	}
	kinds := controlsFor(r, m)
	repeatable := slices.Contains(kinds, Again)
	for _, kind := range kinds {
		worked := try(kind)
		if kind == SmallSegments && !worked {
			worked = try(kind) // on a path that loses packets one success proves more than one failure
		}
		switch {
		case kind == Again && worked:
			return made
		case worked && repeatable && proves(kind):
			if try(Again) || kind != MoreTime && try(kind) && try(Again) {
				return made
			}
		}
	}
	return made
}

// proves reports whether a kind's success, between failures of the original, says what is wrong.
func proves(kind ControlKind) bool {
	switch kind {
	case OtherAddress, OtherFamily, FreshAddress, PlainRequest, HTTP1, MoreTime, SmallSegments:
		return true
	}
	return false
}

// controlsFor chooses the experiments.
func controlsFor(r *Result, m *config.Module) []ControlKind {
	f, hop := r.Failure, r.Last().LastHop()
	if f == nil || leaveAlone(f) {
		return nil
	}
	var kinds []ControlKind
	add := func(kind ControlKind, sensible bool) {
		if sensible && len(kinds) < maxControls {
			kinds = append(kinds, kind)
		}
	}
	repeatable := slices.Contains(idempotent, m.Method) || m.RetryNonIdempotent
	exchanging := f.Phase == Request || f.Phase == Processing || f.Phase == Transfer
	direct := hop.Proxy == "" && !m.EnableHTTP3
	add(Again, repeatable)
	add(FreshAddress, direct && repeatable && freshAddress(r.Last(), hop).IsValid())
	add(SmallSegments, direct && repeatable && (f.Reason == TCPAborted || f.Reason == TLSTimedOut || f.Reason == HTTPResponseTimedOut))
	add(MoreTime, repeatable && (f.Reason == HTTPResponseTimedOut || f.Reason == TLSTimedOut))
	add(HTTP1, repeatable && exchanging && hop.TLS != nil && hop.TLS.ALPN == "h2")
	add(PlainRequest, reading(m) && !plain(m) && (exchanging || f.Reason == HTTPError))
	add(OtherAddress, direct && otherAddress(hop, true).IsValid())
	add(OtherFamily, direct && otherAddress(hop, false).IsValid())
	add(TLSOnly, exchanging && hop.TLS != nil && !m.EnableHTTP3)
	add(TCPOnly, direct && (f.Phase == TLS || exchanging && hop.TLS == nil))
	add(ClosedPort, direct && hop.Addr.IsValid() && f.Phase == Connect && (f.Reason == TCPTimedOut || f.Reason == TCPRefused))
	add(Trace, direct && hop.Addr.IsValid() && (f.Reason == TCPTimedOut || f.Reason == TCPAddressUnreachable || f.Reason == TCPAborted))
	return kinds
}

// leaveAlone reports whether a failure is not to be looked into: the target asks to slow down, or it never was its failure.
func leaveAlone(f *Failure) bool {
	switch f.Reason {
	case HTTPRateLimited, H2Throttled, Abandoned, ProbeConfig, LocalFDExhausted, LocalPortExhausted, LocalNoResources, LocalDenied, LocalOverloaded:
		return true
	}
	return false
}

// plain reports whether the module's request is plain already.
func plain(m *config.Module) bool {
	return m.Method == http.MethodGet && len(m.Body) == 0 && len(m.Header) == 0 && !m.Authorizes()
}

// reading reports whether a plain GET asks for the same as the module's request.
func reading(m *config.Module) bool {
	return m.Method == http.MethodGet || m.Method == http.MethodHead
}

// freshAddress is an address that only the other resolver gives, of the family that failed.
func freshAddress(a *Attempt, h *Hop) netip.Addr {
	c, used := a.Hops[0].Compared, h.Addr.Addr()
	if c == nil || !used.IsValid() || len(a.Hops) > 1 || slices.Contains(c.Answers, used) {
		return netip.Addr{}
	}
	for _, addr := range c.Answers {
		if addr.Is4() == used.Is4() {
			return addr
		}
	}
	return netip.Addr{}
}

// otherAddress is an address of the name, of the same family or the other, that was not used.
func otherAddress(h *Hop, sameFamily bool) netip.Addr {
	used := h.Addr.Addr()
	for _, addr := range h.Answers {
		if used.IsValid() && addr != used && (addr.Is4() == used.Is4()) == sameFamily {
			return addr
		}
	}
	return netip.Addr{}
}

// control makes one experiment.
func (p *Prober) control(ctx context.Context, kind ControlKind, r *Result, m *config.Module) Control {
	hop := r.Last().LastHop()
	timeout := r.Timeout
	if kind == MoreTime {
		timeout = min(moreTime*timeout, max(longestControl, timeout))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch kind {
	case Trace:
		return Control{Kind: kind, Hops: p.trace(ctx, r, m)}
	case ClosedPort:
		return p.knock(ctx, r, m)
	}
	switch kind {
	case PlainRequest:
		m = m.Plain()
	case HTTP1:
		m = m.WithoutHTTP2()
	}
	a := p.newAttempt(ctx, r.Target, m, "")
	first := &r.Last().Hops[0]
	a.answers, a.lookup = first.Answers, first.Lookup
	switch kind {
	case OtherAddress, OtherFamily:
		a.addr = otherAddress(hop, kind == OtherAddress)
	case FreshAddress:
		a.addr = freshAddress(r.Last(), hop)
	case TCPOnly:
		a.stop = Connect
	case TLSOnly:
		a.stop = TLS
	case SmallSegments:
		a.segment = smallSegments
	}
	if !a.addr.IsValid() && len(r.Last().Hops) == 1 && hop.Proxy == "" {
		a.addr = hop.Addr.Addr()
	}
	a.run()
	return Control{Kind: kind, Attempt: a.record, Failure: a.record.Failure}
}

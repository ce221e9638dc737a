package prober

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"errno_exporter/config"
)

// How a failure is looked into: control attempts after it, each of which changes one thing. What then works tells what was wrong.
//
//   - They are few, chosen by the failure, and made one after the other. A target that limits our rate is left alone, and a request that may
//     not be repeated is not.
//   - They go to the address that failed, unless it is the address that is changed.

// ControlKind is what a control attempt changes.
type ControlKind string

// The control attempts.
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
	Trace         ControlKind = "trace"          // SYNs that live for 1, 2, … hops
)

// Control is one control attempt.
type Control struct {
	Kind    ControlKind
	Attempt Attempt  // of all but Trace
	Failure *Failure // nil if it succeeded
	Hops    []TraceHop
}

// TraceHop is what answered a SYN that was to live for so many hops.
type TraceHop struct {
	From    netip.Addr // zero for silence
	Reached bool       // it was the target: the connection came about, or was refused by it
}

const (
	maxControls     = 5
	moreTime        = 3
	longestControl  = 60 * time.Second
	smallSegments   = 1000
	maxTrace        = 16
	tracePatience   = 400 * time.Millisecond
	maxSilentTraces = 3
)

// Diagnose makes the control attempts that a failed probe calls for, until the context ends. A probe that succeeded calls for none.
func (p *Prober) Diagnose(ctx context.Context, r *Result, m *config.Module) []Control {
	var controls []Control
	for _, kind := range controlsFor(r, m) {
		if ctx.Err() != nil {
			break
		}
		c := p.control(ctx, kind, r, m)
		controls = append(controls, c)
		if kind == SmallSegments && c.Failure != nil && ctx.Err() == nil {
			controls = append(controls, p.control(ctx, kind, r, m)) // on a path that loses packets one success proves more than one failure
		}
	}
	return controls
}

// controlsFor chooses the control attempts.
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
	add(MoreTime, repeatable && (f.Reason == HTTPResponseTimedOut || f.Reason == TLSTimedOut))
	add(SmallSegments, direct && repeatable && (f.Reason == TCPAborted || f.Reason == TLSTimedOut))
	add(HTTP1, repeatable && exchanging && hop.TLS != nil && hop.TLS.ALPN == "h2")
	add(PlainRequest, exchanging && !plain(m) || f.Reason == HTTPError && !plain(m))
	add(OtherAddress, direct && otherAddress(hop, true).IsValid())
	add(OtherFamily, direct && otherAddress(hop, false).IsValid())
	add(TLSOnly, exchanging && hop.TLS != nil && !m.EnableHTTP3)
	add(TCPOnly, direct && (f.Phase == TLS || exchanging && hop.TLS == nil))
	add(Trace, direct && hop.Addr.IsValid() && (f.Reason == TCPTimedOut || f.Reason == TCPAddressUnreachable || f.Reason == TCPAborted))
	return kinds
}

// leaveAlone reports whether a failure is not to be looked into: the target asks for calm, or it never was its failure.
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

// control makes one control attempt.
func (p *Prober) control(ctx context.Context, kind ControlKind, r *Result, m *config.Module) Control {
	hop := r.Last().LastHop()
	timeout := r.Timeout
	if kind == MoreTime {
		timeout = min(moreTime*timeout, max(longestControl, timeout))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if kind == Trace {
		return Control{Kind: kind, Hops: p.trace(ctx, r, m)}
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

// trace sends SYNs that live for 1, 2, … hops to the address that failed, until one arrives or the path is silent. They leave as the probe's
// packets do: from the module's source address, and only to where the policy allows.
func (p *Prober) trace(ctx context.Context, r *Result, m *config.Module) []TraceHop {
	addr := r.Last().LastHop().Addr
	if t := &r.Target; t.Policy != nil && !t.Configured {
		if _, denied := t.Policy.Denies(addr.Addr()); denied {
			return nil
		}
	}
	var hops []TraceHop
	silent := 0
	for ttl := 1; ttl <= maxTrace && silent < maxSilentTraces && ctx.Err() == nil; ttl++ {
		hop := p.traceOnce(ctx, addr, m, ttl)
		hops = append(hops, hop)
		if hop.Reached {
			break
		}
		if silent++; hop.From.IsValid() {
			silent = 0
		}
	}
	return hops
}

// traceOnce sends one SYN that lives for ttl hops.
func (p *Prober) traceOnce(ctx context.Context, addr netip.AddrPort, m *config.Module, ttl int) TraceHop {
	ctx, cancel := context.WithTimeout(ctx, tracePatience)
	defer cancel()
	a := p.newAttempt(ctx, Target{}, m, "")
	a.ttl = ttl
	conn, wire, err := a.connect(addr)
	switch {
	case err == nil:
		_ = conn.Close() // it has done its work
		return TraceHop{From: addr.Addr(), Reached: true}
	case wire.ICMP != nil:
		return TraceHop{From: wire.ICMP.From, Reached: wire.ICMP.From == addr.Addr()}
	}
	if errno, _ := errnoOf(err); errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET {
		return TraceHop{From: addr.Addr(), Reached: true} // it answered with a RST
	}
	return TraceHop{} // silence, or an error of our own such as a source address that this host does not have
}

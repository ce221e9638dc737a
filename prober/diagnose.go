package prober

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// How a failure is looked into: experiments after it, attempts of which each changes one thing.
//
//   - One proves something only as A-B-A: after the changed attempt worked, the original is repeated, and must fail
//     again. That is done twice: where half of the attempts fail, once is luck. An original that works ends all of it:
//     what fails now and then is not explained by changes.
//   - A change of the method proves nothing, so a plain request is made for GET and HEAD alone: that a GET works says
//     nothing about a failing PUT.
//   - They are few, chosen by the failure, and made one after the other. A target that limits our rate is left alone,
//     and a request that may not be repeated is not.
//   - They go to the address that failed, unless it is the address that is changed.

// HelloPrefix begins the kinds that change the ClientHello.
const HelloPrefix = "hello_"

const (
	maxExperiments    = 10 // kinds, those of ClientHellos counted as one
	maxAttempts       = 20 // with their repetitions
	closedPort        = 1  // tcpmux, which nobody runs
	moreTime          = 3
	longestExperiment = 60 * time.Second
	smallSegments     = 1000
	maxTrace          = 16
	tracePatience     = 400 * time.Millisecond
	maxSilentTraces   = 3
	knockPatience     = time.Second
)

// hellos stands for the experiments with other ClientHellos.
const hellos result.ExperimentKind = HelloPrefix

// round is a round of experiments.
type round struct {
	prober  *Prober
	ctx     context.Context
	subject *subject
	made    []result.Experiment
}

// Diagnose makes the experiments that a failed probe calls for, until the context ends. A probe that succeeded calls
// for none.
func (p *Prober) Diagnose(ctx context.Context, t Target, r *result.Result, m *module.Module) []result.Experiment {
	d := &round{prober: p, ctx: ctx, subject: &subject{target: t, result: r, module: m}}
	kinds := experimentsFor(r, m)
	repeatable := slices.Contains(kinds, result.Again)
	for _, kind := range kinds {
		if kind == hellos {
			if d.hello() {
				break
			}
			continue
		}
		worked := d.try(kind)
		if kind == result.SmallSegments && !worked {
			worked = d.try(kind) // on a path that loses packets one success proves more than one failure
		}
		if kind == result.Again && worked || worked && repeatable && proves(kind) && d.shown(kind) {
			break
		}
	}
	return d.made
}

// try makes one experiment, and reports whether it worked.
func (d *round) try(kind result.ExperimentKind) (worked bool) {
	if d.ctx.Err() != nil || len(d.made) >= maxAttempts {
		return false
	}
	experiment := d.prober.experiment
	if strings.HasPrefix(string(kind), HelloPrefix) {
		experiment = d.prober.changedHello
	}
	d.made = append(d.made, experiment(d.ctx, kind, d.subject))
	return d.made[len(d.made)-1].Failure == nil
}

// shown repeats the original after a change that worked, and both once more. It reports whether the round is over: by
// a proof, or because the original works.
func (d *round) shown(kind result.ExperimentKind) bool {
	return d.try(result.Again) || kind != result.MoreTime && d.try(kind) && d.try(result.Again)
}

// proves reports whether a kind's success, between failures of the original, says what is wrong.
func proves(kind result.ExperimentKind) bool {
	switch kind {
	case result.OtherAddress, result.OtherFamily, result.FreshAddress, result.PlainRequest, result.HTTP1,
		result.MoreTime, result.SmallSegments:
		return true
	}
	return false
}

// experimentsFor chooses the experiments.
func experimentsFor(r *result.Result, m *module.Module) []result.ExperimentKind {
	f, hop := r.Failure, r.Last().LastHop()
	if f == nil || leaveAlone(f) {
		return nil
	}
	var kinds []result.ExperimentKind
	add := func(kind result.ExperimentKind, sensible bool) {
		if sensible && len(kinds) < maxExperiments {
			kinds = append(kinds, kind)
		}
	}
	repeatable := slices.Contains(idempotent, m.Method) || m.RetryNonIdempotent
	exchanging := f.Phase == result.Request || f.Phase == result.Processing || f.Phase == result.Transfer
	direct := hop.Proxy == "" && !m.EnableHTTP3
	add(result.Again, repeatable)
	if direct && maybeIntercepted(f, hop.Addr.Addr()) {
		add(result.NeverRouted, m.Diagnose.NeverRouted)
		add(result.OneHop, socket.FiltersTTL && farAway(hop.Addr.Addr()))
	}
	add(result.FreshAddress, direct && repeatable && freshAddress(r.Last(), hop).IsValid())
	add(result.SmallSegments, direct && repeatable &&
		(f.Reason == result.TCPAborted || f.Reason == result.TLSTimedOut || f.Reason == result.HTTPResponseTimedOut))
	add(hellos, direct && repeatable && helloRefused(f, r.Last()))
	add(result.MoreTime, repeatable && (f.Reason == result.HTTPResponseTimedOut || f.Reason == result.TLSTimedOut))
	add(result.HTTP1, repeatable && exchanging && hop.TLS != nil && hop.TLS.ALPN == "h2")
	add(result.PlainRequest, reading(m) && !plain(m) && (exchanging || f.Reason == result.HTTPError))
	add(result.OtherAddress, direct && otherAddress(hop, result.OtherAddress).IsValid())
	add(result.OtherFamily, direct && otherAddress(hop, result.OtherFamily).IsValid())
	add(result.ResetDistance, direct && (repeatable || f.Reason == result.TCPRefused) && measurable(f, r.Last()))
	add(result.TLSOnly, exchanging && hop.TLS != nil && !m.EnableHTTP3)
	add(result.TCPOnly, direct && (f.Phase == result.TLS || exchanging && hop.TLS == nil))
	add(result.ClosedPort, m.Diagnose.ClosedPort && direct && hop.Addr.IsValid() && f.Phase == result.Connect &&
		(f.Reason == result.TCPTimedOut || f.Reason == result.TCPRefused))
	add(result.PathTrace, direct && hop.Addr.IsValid() &&
		(f.Reason == result.TCPTimedOut || f.Reason == result.TCPAddressUnreachable || f.Reason == result.TCPAborted))
	return kinds
}

// leaveAlone reports whether a failure is not to be looked into: the target asks to slow down, or it never was its
// failure.
func leaveAlone(f *result.Failure) bool {
	switch f.Reason {
	case result.HTTPRateLimited, result.H2Throttled, result.Abandoned, result.ProbeConfig, result.LocalFDExhausted,
		result.LocalPortExhausted, result.LocalNoResources, result.LocalDenied, result.LocalOverloaded:
		return true
	}
	return false
}

// plain reports whether the module's request is plain already.
func plain(m *module.Module) bool {
	return m.Method == http.MethodGet && len(m.Body) == 0 && len(m.Header) == 0 && !m.Authorizes()
}

// reading reports whether a plain GET asks for the same as the module's request.
func reading(m *module.Module) bool {
	return m.Method == http.MethodGet || m.Method == http.MethodHead
}

// freshAddress is an address that only the other resolver gives, of the family that failed.
func freshAddress(a *result.Attempt, h *result.Hop) netip.Addr {
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

// otherAddress is the address of an experiment with another address of the name: of the same family, or of the other.
func otherAddress(h *result.Hop, kind result.ExperimentKind) netip.Addr {
	used, sameFamily := h.Addr.Addr(), kind == result.OtherAddress
	for _, addr := range h.Answers {
		if used.IsValid() && addr != used && (addr.Is4() == used.Is4()) == sameFamily {
			return addr
		}
	}
	return netip.Addr{}
}

// subject is a probe that failed, with what it was made of.
type subject struct {
	target Target
	result *result.Result
	module *module.Module

	refusalTTL uint8 // of the RSTs that refuse, once it was measured and they come over the network
}

// addr is the address that failed.
func (s *subject) addr() netip.AddrPort { return s.result.Last().LastHop().Addr }

// experiment makes one experiment.
func (p *Prober) experiment(ctx context.Context, kind result.ExperimentKind, s *subject) result.Experiment {
	r, m, hop := s.result, s.module, s.result.Last().LastHop()
	timeout := r.Timeout
	switch kind {
	case result.MoreTime:
		timeout = min(moreTime*timeout, max(longestExperiment, timeout))
	case result.ResetDistance:
		timeout = longestMeasurement // of many short attempts
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch kind {
	case result.PathTrace:
		return result.Experiment{Kind: kind, Hops: p.tracePath(ctx, s)}
	case result.ClosedPort:
		return p.knock(ctx, s)
	case result.NeverRouted, result.OneHop:
		return p.accepted(ctx, kind, s)
	case result.ResetDistance:
		return p.distance(ctx, s)
	}
	switch kind {
	case result.PlainRequest:
		m = m.Plain()
	case result.HTTP1:
		m = m.WithoutHTTP2()
	}
	a := p.newAttempt(ctx, s.target, m, "")
	first := &r.Last().Hops[0]
	a.answers, a.lookup = first.Answers, first.Lookup
	switch kind {
	case result.OtherAddress, result.OtherFamily:
		a.addr = otherAddress(hop, kind)
	case result.FreshAddress:
		a.addr = freshAddress(r.Last(), hop)
	case result.TCPOnly:
		a.stop = result.Connect
	case result.TLSOnly:
		a.stop = result.TLS
	case result.SmallSegments:
		a.segment = smallSegments
	}
	if !a.addr.IsValid() && len(r.Last().Hops) == 1 && hop.Proxy == "" {
		a.addr = hop.Addr.Addr()
	}
	a.run()
	return result.Experiment{Kind: kind, Attempt: a.record, Failure: a.record.Failure}
}

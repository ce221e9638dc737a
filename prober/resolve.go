package prober

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/dns"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// resolve finds the target's addresses; an address literal has itself.
func (h *hop) resolve(host string) bool {
	began := h.attempt.elapsed()
	if h.attempt.pinned(h) {
		h.Answers, h.Lookup, h.Addr = h.attempt.answers, h.attempt.lookup, netip.AddrPortFrom(h.attempt.addr, 0)
		h.done(result.Resolve, began, began)
		return true
	}
	none := result.Failure{Reason: result.DNSNoData, Origin: result.Peer, Err: errNoFamily}
	address, isAddress := literal(host)
	if isAddress {
		h.Answers = []netip.Addr{address}
		none = result.Failure{Reason: result.ProbeConfig, Origin: result.Self, Err: errOtherFamily}
	} else {
		if r := h.attempt.module.Resolver; r != nil && r.CompareSystem && len(h.attempt.record.Hops) == 1 {
			h.attempt.compared = h.attempt.compare(host)
		}
		var err error
		h.Answers, h.Lookup, err = h.attempt.resolve(host)
		if err == nil {
			err = h.onlyHosts()
		}
		if err != nil {
			h.fail(result.Resolve, began, classify.Failure(lookupEvidence(h.Lookup, err, h.attempt.ending(err))))
		}
		h.Lookup.Cut()
		if err != nil {
			return false
		}
	}
	m := h.attempt.module
	addr, ok := families{m.PreferIPv6, m.IPProtocolFallback}.pick(h.Answers)
	if !ok {
		h.fail(result.Resolve, began, none)
		return false
	}
	h.Addr = netip.AddrPortFrom(addr, 0)
	ended := began
	if !isAddress {
		ended = h.attempt.elapsed()
	}
	h.done(result.Resolve, began, ended)
	if found := h.attempt.found; found != nil {
		h.attempt.found = nil
		found(h)
	}
	return true
}

var (
	errNoFamily    = errors.New("no address of the preferred family, and ip_protocol_fallback is off")
	errOtherFamily = errors.New("the target is an address of the other family than preferred_ip_protocol, and " +
		"ip_protocol_fallback is off")
)

// onlyHosts removes the answers that are no host's address. It is an error if none is: a resolver that blocks a name
// gives such. Where the policy denies them all, they are left to it.
func (h *hop) onlyHosts() error {
	hosts := slices.DeleteFunc(slices.Clone(h.Answers), func(addr netip.Addr) bool { return !module.IsHost(addr) })
	if len(hosts) == 0 && len(h.Answers) > 0 {
		if policy := h.policy(); policy != nil && len(allowed(h.Answers, policy)) == 0 {
			return nil
		}
		err := classify.UnusableAnswer(fmt.Sprintf("the answer %s is no host's address: resolvers that block a name "+
			"give such", h.Answers[0]))
		h.Answers = hosts
		return err
	}
	h.Answers = hosts
	return nil
}

// resolve returns the name's addresses in the resolver's order, and what was seen on the wire.
func (a *attempt) resolve(host string) ([]netip.Addr, *result.Lookup, error) {
	resolver := a.module.Resolver
	if resolver == nil {
		return a.askSystem(host)
	}
	servers := dns.Servers{Addresses: resolver.Servers, Protocol: resolver.Protocol, TLS: a.module.ResolverTLS()}
	return a.query(host).Configured(a.ctx, &servers)
}

// askSystem asks the system's resolver.
func (a *attempt) askSystem(host string) ([]netip.Addr, *result.Lookup, error) {
	return a.query(host).System(a.ctx, a.prober.options.Resolver)
}

// query asks for one family only when the other would not be used anyway.
func (a *attempt) query(host string) *dns.Query {
	q := &dns.Query{Host: host, Network: "ip4", Start: a.start, Panicked: a.caught}
	switch {
	case a.module.IPProtocolFallback:
		q.Network = "ip"
	case a.module.PreferIPv6:
		q.Network = "ip6"
	}
	return q
}

// pinned reports whether a hop goes to the target itself, whose address was found before.
func (a *attempt) pinned(h *hop) bool {
	return a.addr.IsValid() && strings.EqualFold(h.request.URL.Hostname(), a.target.URL.Hostname())
}

// families say which addresses may be dialled.
type families struct {
	preferIPv6 bool
	fallback   bool // the other family will do
}

// pick chooses the address to dial: the first of the preferred family, or with fallback the first of the other.
func (f families) pick(answers []netip.Addr) (netip.Addr, bool) {
	for _, addr := range answers {
		if addr.Is6() == f.preferIPv6 {
			return addr, true
		}
	}
	if f.fallback && len(answers) > 0 {
		return answers[0], true
	}
	return netip.Addr{}, false
}

// literal is the address that a URL's host spells out, without brackets; names are not literals.
func literal(host string) (netip.Addr, bool) {
	if !strings.Contains(host, ":") && (host == "" || host[len(host)-1] > '9') {
		return netip.Addr{}, false // a name: most end in a letter
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}

// comparePatience is how long the end of an attempt waits for the system's resolver.
const comparePatience = time.Second

// compare asks the system's resolver beside the configured servers. What is returned waits for it, but not for long.
func (a *attempt) compare(host string) (wait func() *result.Comparison) {
	ctx, cancel := context.WithCancel(a.ctx)
	done := make(chan *result.Comparison, 1)
	failed := guard.Report(func(p *guard.Panic) {
		a.caught(p)
		done <- &result.Comparison{Failure: &result.Failure{Phase: result.Resolve, Reason: result.Unknown,
			Origin: result.Self, Err: p}}
	})
	failed.Go(func() {
		aside := &attempt{prober: a.prober, ctx: ctx, module: a.module, start: a.start}
		answers, lookup, err := aside.askSystem(host)
		c := &result.Comparison{Answers: answers, Lookup: lookup}
		if err != nil {
			ended := aside.ending(err)
			if ended == classify.Cancelled && a.ctx.Err() == nil {
				ended = classify.Deadline // by our own patience
			}
			f := classify.Failure(lookupEvidence(lookup, err, ended))
			f.Phase, c.Failure = result.Resolve, &f
		}
		done <- c
	})
	return func() *result.Comparison {
		defer cancel()
		timer := time.NewTimer(comparePatience)
		defer timer.Stop()
		select {
		case c := <-done:
			return c
		case <-timer.C:
			cancel()
			return <-done
		}
	}
}

// comparison waits for the system's resolver, and removes addresses that the policy denies.
func (a *attempt) comparison() *result.Comparison {
	c := a.compared()
	if t := &a.target; t.Policy != nil && !t.Configured {
		c.Answers = allowed(c.Answers, t.Policy)
	}
	return c
}

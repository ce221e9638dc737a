package prober

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"errno_exporter/guard"
)

// Comparison is what the system's resolver said beside the configured servers. One that answers otherwise may be stale, or see another view
// of the zone.
type Comparison struct {
	Answers []netip.Addr // the system's; empty if it failed
	Lookup  *Lookup
	Failure *Failure // of the system's resolver; nil if it answered
}

// Overlap reports whether the configured answers and the system's have an address in common.
func (c *Comparison) Overlap(configured []netip.Addr) bool {
	return slices.ContainsFunc(c.Answers, func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

// Stale are the system's addresses that the configured answers do not have.
func (c *Comparison) Stale(configured []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(c.Answers), func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

// comparePatience is how long the end of an attempt waits for the system's resolver.
const comparePatience = time.Second

// compare asks the system's resolver beside the configured servers. What is returned waits for it, but not for long.
func (a *attempt) compare(host string) (wait func() *Comparison) {
	ctx, cancel := context.WithCancel(a.ctx)
	done := make(chan *Comparison, 1)
	failed := guard.Report(func(p *guard.Panic) {
		a.caught(p)
		done <- &Comparison{Failure: &Failure{Phase: Resolve, Reason: Unknown, Origin: Self, Err: p}}
	})
	failed.Go(func() {
		aside := &attempt{prober: a.prober, ctx: ctx, module: a.module, start: a.start}
		answers, lookup, err := aside.askSystem(host)
		c := &Comparison{Answers: answers, Lookup: lookup}
		if err != nil {
			ended := aside.ending(err)
			if ended == Cancelled && a.ctx.Err() == nil {
				ended = Deadline // by our own patience
			}
			f := classify(lookupEvidence(lookup, err, ended))
			f.Phase, c.Failure = Resolve, &f
		}
		done <- c
	})
	return func() *Comparison {
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
func (a *attempt) comparison() *Comparison {
	c := a.compared()
	if t := &a.target; t.Policy != nil && !t.Configured {
		c.Answers = allowed(c.Answers, t.Policy)
	}
	return c
}

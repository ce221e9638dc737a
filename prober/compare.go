package prober

import (
	"context"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

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

package watch

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// target is a configured target, of one configuration, with what is kept of it.
type target struct {
	*memo
	config *config.Target
	policy *module.Networks
	idle   *idlePool
}

// memo is what is kept of a target. It outlives a configuration if the next one has the same target.
type memo struct {
	totals   *state.Totals
	timeline *timeline
	observed observed
	usual    usual

	probes inFlight

	mu      sync.Mutex   // guards what follows
	last    *Outcome     // of the last probe that counted; nil before the first
	short   *Outcome     // of the last one after it that did not; nil if there is none
	network netip.Prefix // that was last dialed; zero for none
	dialed  time.Time    // when the probe ended that dialed it
}

func newMemo() *memo { return &memo{totals: state.NewTotals(), timeline: new(timeline)} }

// asked is the target as it is probed. The operator has named its host; the policy is for where redirects lead.
func (t *target) asked() prober.Target {
	return prober.Target{URL: t.config.URL, Policy: t.policy, Configured: true}
}

func (t *target) key() memoryKey {
	return probed{name: t.config.Name, module: t.config.Module.Name, target: t.config.URL.String()}.key()
}

// inFlight is a target's probes that are in flight or about to start.
type inFlight = schedule.Group[*Outcome]

// sharedProbe is one of them.
type sharedProbe = schedule.InFlight[*Outcome]

// claim is a scrape's claim on a probe of the target.
func (t *target) claim(now, until time.Time, slack time.Duration) schedule.Claim {
	c := schedule.Claim{Now: now, Until: until, Allowed: until.Sub(now), Slack: slack, Recent: t.config.MinInterval}
	if timeout := t.config.Module.Timeout; timeout > 0 {
		c.Allowed = min(c.Allowed, timeout)
	}
	return c
}

// audience is to whom the outcome is passed on within min_interval: what failed with less time might have succeeded.
func (o *Outcome) audience() schedule.Audience {
	switch f := o.Result.Failure; {
	case f == nil:
		return schedule.Anyone
	case f.Reason == result.LocalOverloaded:
		return schedule.NoOne
	}
	return schedule.WithSameTime
}

// expected is how long the target's probe may take, judging by the last one; without one it may take longest.
func (t *target) expected() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		return longest
	}
	return t.last.Result.Elapsed
}

const longest = time.Duration(1<<63 - 1)

// launch is a probe that is to start.
type launch struct {
	target   *target
	probe    *sharedProbe
	expected time.Duration
}

// launch starts probes at an interval, the slowest first. One that nobody waits for any longer is not started. Whatever
// panics, every probe ends.
func (w *Watch) launch(starting []launch, every time.Duration) {
	slices.SortStableFunc(starting, func(a, b launch) int { return cmp.Compare(b.expected, a.expected) })
	p := guard.Try(func() {
		pacer := schedule.NewPacer(every)
		for _, l := range starting {
			pacer.Wait()
			if !l.target.probes.Abandon(l.probe) {
				w.panicked.Go(func() { w.fly(l.target, l.probe) })
			}
		}
	})
	if p == nil {
		return
	}
	for _, l := range starting {
		l.target.probes.End(l.probe)
	}
	w.background.Running.Report(p)
}

// fly makes the probe. Nobody's leaving ends it; its deadline does.
func (w *Watch) fly(t *target, f *sharedProbe) {
	defer t.probes.End(f) // where there is no outcome, also by a panic
	ctx, cancel := context.WithDeadline(prober.OnBehalf(context.Background(), f.Via), f.Until)
	defer cancel()
	idleUsed := t.idle.use(w.life)
	outcome := w.probeConfigured(ctx, t, f)
	select { // what becomes of them belongs to this scrape if it is known by now; a dead one keeps nobody waiting
	case <-idleUsed:
	case <-time.After(keptGrace):
	}
	if outcome == nil {
		return
	}
	t.note(outcome)
	w.publishOutcome(outcome, t.config.Module, w.verdictOn(t, outcome))
	t.probes.EndWith(f, outcome, t.recent())
	switch {
	case outcome.Result.Failure == nil:
		t.idle.fill(w.life, w.prober)
	case !outcome.callers:
		w.diagnose(t, outcome)
	}
}

// probeConfigured probes a target, and counts the outcome where it is the target's; nil if no probe was made.
func (w *Watch) probeConfigured(ctx context.Context, t *target, f *sharedProbe) *Outcome {
	m := t.config.Module
	admitted, err := w.admit(ctx, m, schedule.Configured)
	if err != nil {
		return nil // it is counted
	}
	defer admitted.release()
	t.probes.Started(f, m.Timeout)
	o, err := admitted.probe(ctx, t.asked())
	if err != nil {
		return nil // as above
	}
	o.allowed, o.callers = f.Allowed, !t.counts(o.Result, f.Allowed)
	o.Record = w.probes.Add(1)
	if !o.callers {
		t.totals.Observe(o.Result)
		t.timeline.add(Tick{o.Record, o.Ended, o.Result.Elapsed, o.Result.Failure.Brief()})
		t.observed.add(cause.Observe(o.Result, o.Late, o.Ended))
	}
	return o
}

// verdictOn is the verdict that is published with an outcome; nil for a success.
func (w *Watch) verdictOn(t *target, o *Outcome) *cause.Verdict {
	switch {
	case o.Result.Failure == nil:
		return nil
	case o.callers:
		return w.alone(o)
	}
	return w.verdict(t)
}

// note makes an outcome the target's last one.
func (t *target) note(outcome *Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if outcome.callers {
		t.short = outcome.kept()
		return
	}
	t.last, t.short = outcome.kept(), nil
	if n := egress.Network(outcome.Result); n.IsValid() {
		t.network, t.dialed = n, outcome.Ended
	}
}

// recent is what may be passed on to callers that come within min_interval.
func (t *target) recent() []schedule.Recent[*Outcome] {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []schedule.Recent[*Outcome]
	for _, o := range []*Outcome{t.last, t.short} {
		if o != nil {
			all = append(all, schedule.Recent[*Outcome]{Outcome: o, Start: o.Result.Start, Allowed: o.allowed,
				For: o.audience()})
		}
	}
	return all
}

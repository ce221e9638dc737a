package watch

import (
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

	mu      sync.Mutex   // guards what follows
	flights []*flight    // the probes that are under way or about to start
	last    *Outcome     // of the last flight that counted; nil before the first
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

// How a probe is shared. Every caller gets at least the time that a probe of its own would have had.
//
//   - A caller joins a probe under way that was given as much time as the caller has, and that ends before the caller's
//     deadline. Where there is none it starts another one beside it, so that neither waits for, or is cut off by, the
//     deadline of the other.
//   - A failure says nothing to a caller with more time than the failed probe had: min_interval does not pass it on.
//     Nor does it pass on what the exporter itself is to blame for.
//   - The number of a target's probes under way is bounded: with as many, a caller takes the one that suits it best.

// maxFlights bounds a target's probes under way. Scrapers with one timeout share one; this is for those who vary it on
// purpose.
const maxFlights = 16

// flight is one probe of a target, shared by every scrape that wants one while it is under way. It belongs to none of
// them: a scrape that is cancelled leaves it to the others.
type flight struct {
	until   time.Time     // the deadline, of the scrape that started it
	allowed time.Duration // the longest that the probe may take
	via     string        // on whose behalf the scrape was made that started it
	landed  chan struct{}
	outcome *Outcome  // when it has landed; nil if it could not be started
	waiting int       // scrapes; guarded by the target's mu
	ends    time.Time // at the latest; guarded by the target's mu
}

// claim is what a caller wants of a shared probe.
type claim struct {
	now, until time.Time
	allowed    time.Duration // that a probe of its own could take
	slack      time.Duration // by how much a shared one may miss that: less than the caller keeps back for its answer
	via        string
}

// claimOn is a scrape's claim on a target.
func (t *target) claimOn(now, until time.Time, slack time.Duration) claim {
	c := claim{now: now, until: until, allowed: until.Sub(now), slack: slack}
	if timeout := t.config.Module.Timeout; timeout > 0 {
		c.allowed = min(c.allowed, timeout)
	}
	return c
}

// suits reports whether a probe that may take so long has the time that the caller's own would have.
func (c *claim) suits(allowed time.Duration) bool { return allowed+c.slack >= c.allowed }

// join returns a flight that satisfies the claim, and whether it is the caller's to start. A result that is younger
// than min_interval is a flight that has landed.
func (t *target) join(c claim) (f *flight, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.shared(&c); f != nil {
		f.waiting++
		return f, false
	}
	for _, last := range []*Outcome{t.last, t.short} {
		if last != nil && c.now.Sub(last.Result.Start) < t.config.MinInterval && last.speaksTo(&c) {
			landed := make(chan struct{})
			close(landed)
			return &flight{landed: landed, outcome: last}, false
		}
	}
	f = &flight{until: c.until, ends: c.until, allowed: c.allowed, via: c.via, landed: make(chan struct{}), waiting: 1}
	t.flights = append(t.flights, f)
	return f, true
}

// shared finds a flight under way for the caller; nil if it needs its own. The caller holds mu.
func (t *target) shared(c *claim) *flight {
	// a caller that was kept waiting for mu is as late with all that follows
	latest := time.Now().Add(c.until.Sub(c.now) + c.slack)
	var best *flight
	for _, f := range t.flights {
		if f.ends.After(latest) {
			continue
		}
		if c.suits(f.allowed) {
			return f
		}
		if best == nil || f.allowed > best.allowed {
			best = f
		}
	}
	if len(t.flights) < maxFlights {
		return nil
	}
	if best != nil {
		return best
	}
	return slices.MinFunc(t.flights, func(a, b *flight) int { return a.ends.Compare(b.ends) })
}

// speaksTo reports whether the outcome is one that the caller's own probe could have had: what failed with less time
// might have succeeded.
func (o *Outcome) speaksTo(c *claim) bool {
	f := o.Result.Failure
	return f == nil || c.suits(o.allowed) && f.Reason != result.LocalOverloaded
}

// ended is the flight's outcome; nil while it has not landed, and if it could not be started.
func (f *flight) ended() *Outcome {
	select {
	case <-f.landed:
		return f.outcome
	default:
		return nil
	}
}

// begun notes that a flight's probe has started: from now on its end is known.
func (t *target) begun(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if timeout := t.config.Module.Timeout; timeout > 0 {
		if ends := time.Now().Add(timeout); ends.Before(f.ends) {
			f.ends = ends
		}
	}
}

// leave ends a scrape's wait for a flight.
func (t *target) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.waiting--
}

// drop ends a flight that has not started if nobody waits for it any more, and reports whether it did.
func (t *target) drop(f *flight) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.waiting > 0 {
		return false
	}
	t.end(f, nil)
	return true
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

// launch starts flights. Whatever panics, every flight ends.
func (w *Watch) launch(starting []launch, every time.Duration) {
	p := guard.Try(func() {
		start(starting, every, func(t *target, f *flight) {
			w.panicked.Go(func() {
				defer t.land(f, nil) // where a panic came before the outcome
				w.fly(t, f)
			})
		})
	})
	if p == nil {
		return
	}
	for _, l := range starting {
		l.target.land(l.flight, nil)
	}
	w.background.running.Report(p)
}

// fly makes the probe. Nobody's leaving ends it; its deadline does.
func (w *Watch) fly(t *target, f *flight) {
	ctx, cancel := context.WithDeadline(prober.OnBehalf(context.Background(), f.via), f.until)
	defer cancel()
	keptUsed := t.idle.use(w.life)
	outcome, _, err := w.probe(ctx, &order{
		target: t.asked(), module: t.config.Module, by: schedule.Configured, started: func() { t.begun(f) },
		counts:  func(r *result.Result) bool { return t.counts(r, f.allowed) },
		counted: func() *state.Totals { return t.totals },
	})
	if err != nil {
		outcome = nil // it is counted
	}
	if outcome != nil {
		outcome.allowed = f.allowed
	}
	if outcome != nil && !outcome.callers {
		t.timeline.add(Tick{outcome.Record, outcome.Ended, outcome.Result.Elapsed, outcome.Result.Failure.Brief()})
		t.observed.add(cause.Observe(outcome.Result, outcome.Late, outcome.Ended))
	}
	select { // what becomes of them belongs to this scrape if it is known by now; a dead one keeps nobody waiting
	case <-keptUsed:
	case <-time.After(keptGrace):
	}
	if outcome == nil {
		t.land(f, nil)
		return
	}
	t.note(outcome)
	w.publishOutcome(outcome, t.config.Module, w.verdictOn(t, outcome))
	t.land(f, outcome)
	switch {
	case outcome.Result.Failure == nil:
		t.idle.fill(w.life, w.prober)
	case !outcome.callers:
		w.diagnose(t, outcome)
	}
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

// land ends a flight, once.
func (t *target) land(f *flight, outcome *Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Contains(t.flights, f) {
		t.end(f, outcome)
	}
}

// end ends a flight. The caller holds mu.
func (t *target) end(f *flight, outcome *Outcome) {
	if i := slices.Index(t.flights, f); i >= 0 {
		t.flights = slices.Delete(t.flights, i, i+1)
	}
	f.outcome = outcome
	close(f.landed)
}

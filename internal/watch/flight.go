package watch

import (
	"context"
	"sync"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics"
	"errno_exporter/prober"
)

// target is a configured target, of one configuration, with what is kept of it.
type target struct {
	*memo
	config *config.Target
	policy *config.Policy
	keeper *keeper
}

// memo is what is kept of a target. It outlives a configuration if the next one has the same target.
type memo struct {
	totals   *metrics.Totals
	timeline *timeline
	observed observed

	mu     sync.Mutex // guards what follows
	flight *flight    // the probe that is under way or about to start; nil if there is none
	last   *Outcome   // of the last flight; nil before the first
}

func newMemo() *memo { return &memo{totals: metrics.NewTotals(), timeline: new(timeline)} }

// asked is the target as it is probed. The operator has named its host; the policy is for where redirects lead.
func (t *target) asked() prober.Target {
	return prober.Target{URL: t.config.URL, Policy: t.policy, Configured: true}
}

func (t *target) key() memoryKey {
	return probed{name: t.config.Name, module: t.config.Module.Name, target: t.config.URL.String()}.key()
}

// flight is one probe of a target, shared by every scrape that wants one while it is under way. It belongs to none of them: a scrape
// that is cancelled leaves it to the others.
type flight struct {
	until   time.Time // the deadline, of the scrape that asked first
	landed  chan struct{}
	outcome *Outcome // when it has landed; nil if it could not be started
	waiting int      // scrapes; guarded by the target's mu
}

// join returns the target's flight and whether it is the caller's to start. A result that is younger than min_interval is a flight that
// has landed.
func (t *target) join(now, until time.Time) (f *flight, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flight != nil {
		t.flight.waiting++
		return t.flight, false
	}
	if t.last != nil && now.Sub(t.last.Result.Start) < t.config.MinInterval {
		landed := make(chan struct{})
		close(landed)
		return &flight{landed: landed, outcome: t.last}, false
	}
	t.flight = &flight{until: until, landed: make(chan struct{}), waiting: 1}
	return t.flight, true
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

// fly makes the probe. Nobody's leaving ends it; its deadline does.
func (w *Watch) fly(t *target, f *flight) {
	ctx, cancel := context.WithDeadline(context.Background(), f.until)
	defer cancel()
	keptUsed := t.keeper.use(ctx)
	outcome, _, err := w.probe(ctx, t.asked(), t.config.Module, func() *metrics.Totals { return t.totals })
	if err != nil {
		outcome = nil // it is counted
	}
	if outcome != nil {
		t.timeline.add(Tick{outcome.Record, outcome.Ended, outcome.Result.Elapsed, outcome.Result.Failure.Brief()})
		t.observed.add(cause.Observe(outcome.Result, outcome.Late, outcome.Ended))
	}
	keptUsed()
	t.land(f, outcome)
	if outcome == nil {
		return
	}
	if outcome.Result.Failure == nil {
		t.keeper.fill(w.prober)
		return
	}
	w.judged(outcome.Record, w.verdict(t), nil)
	w.diagnose(t, outcome)
}

func (t *target) land(f *flight, outcome *Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(f, outcome)
}

// end ends a flight. The caller holds mu.
func (t *target) end(f *flight, outcome *Outcome) {
	if outcome != nil {
		t.last = outcome
	}
	t.flight = nil
	f.outcome = outcome
	close(f.landed)
}

package watch

import (
	"cmp"
	"context"
	"slices"
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/prober"
)

// idleGrace is how long a probe that has ended waits for the idle connections that are used beside it.
const idleGrace = 100 * time.Millisecond

// launch is a probe that is to start.
type launch struct {
	target   *target.Target
	probe    *target.Probe
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
			if !l.target.Probes.Abandon(l.probe) {
				w.panicked.Go(func() { w.fly(l.target, l.probe) })
			}
		}
	})
	if p == nil {
		return
	}
	for _, l := range starting {
		l.target.Probes.End(l.probe)
	}
	w.background.Running.Report(p)
}

// fly makes the probe. Nobody's leaving ends it; its deadline does.
func (w *Watch) fly(t *target.Target, f *target.Probe) {
	defer t.Probes.End(f) // where there is no outcome, also by a panic
	ctx, cancel := context.WithDeadline(prober.OnBehalf(context.Background(), f.Via), f.Until)
	defer cancel()
	idleUsed := t.Idle.Use(w.life)
	outcome := w.probeConfigured(ctx, t, f)
	select { // what becomes of them belongs to this scrape if it is known by now; a dead one keeps nobody waiting
	case <-idleUsed:
	case <-time.After(idleGrace):
	}
	if outcome == nil {
		return
	}
	recent := t.Results.Note(outcome)
	w.publishOutcome(outcome, t.Config.Module, w.verdictOn(t, outcome))
	t.Probes.EndWith(f, outcome, recent)
	w.lasts.Noted(t)
	switch {
	case outcome.Result.Failure == nil:
		t.Idle.Fill(w.life, w.prober)
	case !outcome.Callers:
		w.diagnose(t, outcome)
	}
}

// probeConfigured probes a target, and counts the outcome where it is the target's; nil if no probe was made.
func (w *Watch) probeConfigured(ctx context.Context, t *target.Target, f *target.Probe) *target.Outcome {
	m := t.Config.Module
	admitted, err := w.admit(ctx, m, schedule.Configured)
	if err != nil {
		return nil // it is counted
	}
	defer admitted.release()
	t.Probes.Started(f, m.Timeout)
	o, err := admitted.probe(ctx, t.Probed())
	if err != nil {
		return nil // as above
	}
	o.Allowed, o.Callers = f.Allowed, !t.Counts(o.Result, f.Allowed)
	o.Record = w.probes.Add(1)
	if !o.Callers {
		t.Observe(o)
	}
	return o
}

// verdictOn is the verdict that is published with an outcome; nil for a success.
func (w *Watch) verdictOn(t *target.Target, o *target.Outcome) *cause.Verdict {
	switch {
	case o.Result.Failure == nil:
		return nil
	case o.Callers:
		return w.alone(o)
	}
	return w.verdict(t)
}

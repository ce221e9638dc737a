package watch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/guard"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// One probe, from the wait for its slot to the publication of its outcome.
//
//   - When a probe has ended its verdict is computed first. Then the outcome goes once through the sinks in their
//     order, and after that to the scrapes that wait for it. Nothing comes back from a sink.
//   - Experiments after a failure end later: their findings are published like an outcome, under the same ID.

// ErrNotStarted says that a probe found no slot, or no CPU, before its deadline. It says nothing about the target.
var ErrNotStarted = errors.New("the exporter could not start the probe in time")

// Probe probes a target that is not configured. The context has a deadline: the probe's. The state has an outcome if
// there is no error.
func (w *Watch) Probe(ctx context.Context, t prober.Target, m *module.Module) (State, error) {
	o, err := w.probeAdHoc(ctx, t, m)
	if err != nil {
		return State{}, err
	}
	return w.counted(o, &t, m), nil
}

// counted counts and publishes the outcome of a target that is not configured.
func (w *Watch) counted(o *target.Outcome, t *prober.Target, m *module.Module) State {
	totals := w.others.Totals(target.Identity{Module: m.Name, Target: t.URL.String(), Host: t.Host}.Key())
	totals.Add(o.Result, o.Record)
	v := w.alone(o)
	w.publish(publishedOf(o, m, v))
	return State{Module: m, Outcome: o, Totals: totals, Verdict: v}
}

// probeAdHoc probes as soon as there is a slot.
func (w *Watch) probeAdHoc(ctx context.Context, t prober.Target, m *module.Module) (*target.Outcome, error) {
	admitted, err := w.admit(ctx, m, schedule.AdHoc)
	if err != nil {
		return nil, err
	}
	defer admitted.release()
	o, err := admitted.probe(ctx, t)
	if err != nil {
		return nil, err
	}
	o.Record = w.ids()
	return o, nil
}

// idleGrace is how long a probe that has ended waits for the idle connections that are used beside it.
const idleGrace = 100 * time.Millisecond

// due is a probe that is to start.
type due struct {
	target   *target.Target
	probe    *target.Probe
	expected time.Duration
}

// start starts probes at a mean interval, the slowest first. One that nobody waits for any longer is not started.
// Whatever panics, every probe ends.
func (w *Watch) start(starting []due, every time.Duration) {
	slices.SortStableFunc(starting, func(a, b due) int { return cmp.Compare(b.expected, a.expected) })
	p := guard.Try(func() {
		spread(starting, schedule.Together)
		pacer := schedule.NewPacer(every, schedule.Together)
		for _, d := range starting {
			pacer.Wait()
			if !d.target.Probes.Abandon(d.probe) {
				w.panicked.Go(func() { w.run(d.target, d.probe) })
			}
		}
	})
	if p == nil {
		return
	}
	for _, d := range starting {
		d.target.Probes.End(d.probe)
	}
	w.background.Running.Report(p)
}

// run makes the probe. It ends at its deadline, not when the scrapes that wait for it are cancelled.
func (w *Watch) run(t *target.Target, f *target.Probe) {
	defer t.Probes.End(f) // where there is no outcome, also by a panic
	ctx, cancel := context.WithDeadline(prober.OnBehalf(context.Background(), f.Via), f.Until)
	defer cancel()
	idleUsed := t.Idle.Use(w.life)
	outcome := w.probeConfigured(ctx, t, f)
	select { // their results belong to this scrape if they are known by now; a dead connection delays none
	case <-idleUsed:
	case <-time.After(idleGrace):
	}
	if outcome == nil {
		return
	}
	w.application.learn(t, outcome.Result, outcome.Ended)
	recent := t.Results.Note(outcome)
	published := publishedOf(outcome, t.Config.Module, w.verdictOn(t, outcome))
	if published.Target = t.Config.Name; !outcome.Callers {
		published.Application = w.application.since(t, outcome.Ended)
	}
	w.publish(published)
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
	o.Record = w.ids()
	if !o.Callers {
		t.Count(o)
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

// admitted is a probe that has its slot and its file descriptors.
type admitted struct {
	watch       *Watch
	module      *module.Module
	slot, files schedule.Need
	asked       time.Time // when the probe was wanted
}

// admit waits until a probe may start, at most half of its time: a probe that starts with less would blame its target
// for what is left. The context has a deadline.
func (w *Watch) admit(ctx context.Context, m *module.Module, by schedule.User) (*admitted, error) {
	a := &admitted{watch: w, module: m, asked: time.Now(),
		slot: schedule.Need{N: 1, By: by}, files: schedule.Need{N: schedule.DescriptorsOf(m), By: by}}
	deadline, _ := ctx.Deadline() // every caller sets one
	latest := a.asked.Add(deadline.Sub(a.asked) / 2)
	if !w.slots.Acquire(ctx, latest, a.slot) {
		w.own.NotStarted.Inc()
		return nil, ErrNotStarted
	}
	if !w.descriptors.Acquire(ctx, latest, a.files) {
		w.slots.Release(a.slot)
		w.own.NotStarted.Inc()
		return nil, ErrNotStarted
	}
	w.own.SlotWait.Add(time.Since(a.asked).Seconds())
	w.lag.Begin()
	return a, nil
}

// release gives back what the probe took.
func (a *admitted) release() {
	a.watch.lag.End()
	a.watch.descriptors.Release(a.files)
	a.watch.slots.Release(a.slot)
}

// probe probes. A target that the policy forbids is an error, and leaves nothing behind.
func (a *admitted) probe(ctx context.Context, t prober.Target) (*target.Outcome, error) {
	w := a.watch
	before := w.counters.Before()
	began := time.Now()
	r := w.prober.Probe(ctx, t, a.module)
	if denied := r.Denied(); denied != nil {
		w.own.Denied.Inc()
		return nil, denied
	}
	return a.outcome(ctx, &r, began, before), nil
}

// outcome is what is kept of a probe that began at a time, after a reading of the kernel's counters.
func (a *admitted) outcome(ctx context.Context, r *result.Result, began time.Time,
	before *counters.Sample) *target.Outcome {
	w := a.watch
	deadline, _ := ctx.Deadline()
	r.ShortenedBy(a.allowed(a.asked, deadline) - a.allowed(began, deadline) + r.Waited())
	o := &target.Outcome{Result: r, Ended: time.Now(), Late: w.lag.Since(began)}
	o.Reliable = o.Late == 0 || exact(r)
	if slices.ContainsFunc(r.Attempts, func(a result.Attempt) bool { return a.Failure != nil }) {
		o.Kernel = w.counters.After(before)
	}
	return o
}

// exact reports whether what a probe measured is true however late the exporter was: every duration ends where the
// kernel's timestamps say, and what failed, if anything did, is nothing of ours.
func exact(r *result.Result) bool {
	return r.Doubt() <= tolerated && !r.TimedOut() && (r.Failure == nil || r.Failure.Origin != result.Local)
}

// tolerated is by how much a duration may be wrong.
const tolerated = 2 * time.Millisecond

// allowed is how long the probe may take if it starts at a time.
func (a *admitted) allowed(at, deadline time.Time) time.Duration {
	if left := deadline.Sub(at); a.module.Timeout <= 0 || left < a.module.Timeout {
		return left
	}
	return a.module.Timeout
}

// Published is one probe that ended, with its verdict, or the findings of the experiments that were made after it.
type Published struct {
	ID       ulid.ULID // of the record
	Target   string    // the configured target's name; empty for a target of /probe
	Result   *result.Result
	Module   *module.Module
	Reliable bool           // the durations, and the failure, are not the exporter's own
	Late     bool           // the exporter was overloaded during the probe
	Found    cause.Findings // nothing for a success
	Later    bool           // the probe was published before
	Callers  bool           // it is the caller's alone, and nothing of the target's: see package target
	// Application is what became of the application's connections since the probe that was published before; nil where
	// they are not observed.
	Application *incident.Application
}

// Sink takes what is published. It may be called by many goroutines, and delays the probe's answer.
type Sink func(*Published)

// publish sends a value through the sinks.
func (w *Watch) publish(p *Published) {
	for _, sink := range w.sinks {
		sink(p)
	}
}

// publishedOf is what is published of an outcome with its verdict.
func publishedOf(o *target.Outcome, m *module.Module, v *cause.Verdict) *Published {
	return &Published{ID: o.Record, Result: o.Result, Module: m, Reliable: o.Reliable, Late: o.Late > 0,
		Callers: o.Callers,
		Found:   cause.Findings{Verdict: v, Kernel: o.Kernel}}
}

// count is the sink of the exporter's own counters.
func count(own *metrics.Own) Sink {
	return func(p *Published) {
		if p.Later {
			own.Experiments.Add(float64(len(p.Found.Experiments)))
			return
		}
		own.Probes.Inc()
		own.HandshakeWait.Add(p.Result.Waited().Seconds())
		if p.Late {
			own.Overloaded.Inc()
		}
		if !p.Reliable {
			own.Unreliable.Inc()
		}
		if p.Result.Panicked() != nil {
			own.Panics.Inc()
		}
	}
}

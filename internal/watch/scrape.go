package watch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/egress"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How a scrape probes.
//
//   - Every target is probed once, side by side; scrapes at the same time share the probes.
//   - Probes start a few at a time: internal/schedule says how many, and how far apart. Those that start together are
//     of different hosts as far as there are such among the next ones, so that no host meets all of them at once.
//   - The slowest targets start first, judging by their last probes, and those that are not known before them: who
//     needs the time has it.

// State is what a scrape has of a target.
type State struct {
	Target  *config.Target // nil for one that is not configured
	Module  *module.Module
	Outcome *target.Outcome // nil if no probe ended in time
	Missing *result.Result  // says so where there is no outcome: nothing is known of the target
	Age     time.Duration   // of the outcome; 0 when it was probed for this scrape
	Totals  *state.Totals
	Idle    *state.Idle    // connections; nil for one that is not configured
	Verdict *cause.Verdict // nil if nothing failed recently
}

// Status is what is known of a target without probing it.
type Status struct {
	Target   *config.Target
	Last     *target.Outcome // nil before the first probe
	Timeline state.Overview
	Idle     state.Idle
	Verdict  *cause.Verdict
	// Application is what is known of the application's connections; nil where they are not observed.
	Application *observe.Connections
	Ends        []observe.End // of the application's connections in the last hour that are failures
}

// Status returns what is known of every configured target, in the configuration's order.
func (w *Watch) Status() []Status {
	now := time.Now()
	targets := w.current()
	all := make([]Status, len(targets))
	for i, t := range targets {
		all[i] = w.status(t, now)
	}
	return all
}

// StatusAt returns what is still known of how every configured target was at an earlier time.
func (w *Watch) StatusAt(at time.Time) []Status {
	targets := w.current()
	all := make([]Status, len(targets))
	for i, t := range targets {
		all[i] = Status{Target: t.Config, Timeline: t.Timeline.At(at)}
	}
	return all
}

func (w *Watch) status(t *target.Target, now time.Time) Status {
	return Status{Target: t.Config, Last: t.Results.Latest(), Timeline: t.Timeline.At(now), Idle: t.IdleState(),
		Verdict: w.verdict(t), Application: w.application.of(t), Ends: t.Application.Failed(now)}
}

// Scrape probes every configured target, and returns what it has of each when all have ended, at the latest when its
// time is up. The order is the configuration's. It returns nil when the context was cancelled.
func (w *Watch) Scrape(ctx context.Context, budget time.Duration) []State {
	return w.scrape(ctx, w.current(), budget)
}

// ProbeTarget is Scrape for one configured target. It reports false if there is none of that name.
func (w *Watch) ProbeTarget(ctx context.Context, name string, budget time.Duration) (State, bool) {
	t := w.find(name)
	if t == nil {
		return State{}, false
	}
	return w.probeOne(ctx, t, budget), true
}

func (w *Watch) probeOne(ctx context.Context, t *target.Target, budget time.Duration) State {
	if states := w.scrape(ctx, []*target.Target{t}, budget); states != nil {
		return states[0]
	}
	return State{Target: t.Config, Module: t.Config.Module, Totals: t.Totals}
}

func (w *Watch) scrape(ctx context.Context, targets []*target.Target, budget time.Duration) []State {
	s := w.await(ctx, targets, budget)
	if s == nil {
		return nil
	}
	return s.States()
}

// Scraped is a scrape whose time is up, or whose probes have all ended. It is much smaller than its states, which
// hundreds of scrapes that wait to answer would hold otherwise.
type Scraped struct {
	watch   *Watch
	targets []*target.Target
	probes  []*target.Probe
	began   time.Time
	budget  time.Duration
}

// Await is Scrape without the states, which are to be had when they are needed.
func (w *Watch) Await(ctx context.Context, budget time.Duration) *Scraped {
	return w.await(ctx, w.current(), budget)
}

func (w *Watch) await(ctx context.Context, targets []*target.Target, budget time.Duration) *Scraped {
	began := time.Now()
	reserve := schedule.Reserve(budget, len(targets))
	until := began.Add(budget - reserve)
	probes := make([]*target.Probe, len(targets))
	var starting []due
	for i, t := range targets {
		c := t.Claim(began, until, reserve/2)
		c.Via = prober.Behalf(ctx)
		f, fresh := t.Probes.Join(c)
		probes[i] = f
		if fresh {
			starting = append(starting, due{t, f, t.Results.Expected()})
		}
	}
	w.panicked.Go(func() { w.start(starting, interval(starting, budget)) })
	defer func() {
		for i, t := range targets {
			t.Probes.Leave(probes[i])
		}
	}()
	first := make(chan struct{})
	checked := first
	w.panicked.Go(func() { defer close(first); w.sampler.Sample(); w.references.Check() })
	if !waitFor(ctx, probes, began.Add(budget)) {
		return nil
	}
	if since := unreachedSince(probes, began); !since.IsZero() { // a check before a failure says nothing about it
		second := make(chan struct{})
		checked = second
		w.panicked.Go(func() { defer close(second); <-first; w.references.CheckSince(since) })
	}
	select { // reference targets are given at most the time of the probes
	case <-checked:
	case <-time.After(time.Until(until)):
	}
	return &Scraped{w, targets, probes, began, budget}
}

// States are what the scrape has of each target.
func (s *Scraped) States() []State {
	states := make([]State, len(s.targets))
	for i, t := range s.targets {
		idle := t.IdleState()
		states[i] = State{Target: t.Config, Module: t.Config.Module, Totals: t.Totals, Idle: &idle}
		states[i].has(s.probes[i].Outcome(), s.began)
		if states[i].Outcome == nil {
			states[i].Missing = notStarted(t.Config, s.budget)
		}
		if o := states[i].Outcome; o != nil && o.Callers {
			states[i].Verdict = s.watch.alone(o)
		} else {
			states[i].Verdict = s.watch.verdict(t)
		}
	}
	return states
}

// notStarted is the result for a target whose probe did not end in the time that it was given.
func notStarted(t *config.Target, budget time.Duration) *result.Result {
	r := result.Unprobed(result.Target{URL: t.URL}, t.ShownURL, t.Module.Name, result.Failure{Phase: result.Resolve,
		Reason: result.LocalOverloaded, Origin: result.Local, Err: errNotStarted})
	r.Timeout = budget
	return &r
}

// errNotStarted is the error of a probe that was wanted and has no outcome.
var errNotStarted = errors.New("the exporter could not start or finish the probe before the scrape's deadline: see " +
	"errno_exporter_probes_not_started_total, probe_policy.max_concurrent and the limit of file descriptors")

// unreachedSince is when the last of the probes began that found a target out of reach, of a scrape that began at a
// time; zero for none.
func unreachedSince(probes []*target.Probe, began time.Time) time.Time {
	var since time.Time
	for _, f := range probes {
		if o := f.Outcome(); o != nil && egress.OutOfReach(o.Result.Failure) && o.Ended.After(began) &&
			o.Result.Start.After(since) {
			since = o.Result.Start
		}
	}
	return since
}

// waitFor waits for probes, until the deadline at most. It reports false when the context was cancelled.
func waitFor(ctx context.Context, probes []*target.Probe, deadline time.Time) bool {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for _, f := range probes {
		select {
		case <-f.Ended:
		case <-ctx.Done():
			return context.Cause(ctx) != context.Canceled
		}
	}
	return true
}

// has adds an outcome, nil for none.
func (s *State) has(o *target.Outcome, began time.Time) {
	if s.Outcome = o; o != nil && o.Ended.Before(began) {
		s.Age = began.Sub(o.Ended)
	}
}

// interval is the time between the starts of probes.
func interval(starting []due, budget time.Duration) time.Duration {
	slowest := time.Duration(0)
	for _, d := range starting {
		slowest = max(slowest, cmp.Or(d.target.Config.Module.Timeout, budget))
	}
	return schedule.Interval(len(starting), slowest, budget)
}

// spreadAhead is from how many of the next probes one of another host is taken: few enough for the slowest to stay
// ahead.
const spreadAhead = 64

// spread takes probes of other hosts forward, so that as many as start together are of different hosts where that can
// be. Otherwise their order stays.
func spread(starting []due, together int) {
	for i := range starting {
		group := starting[i-i%together : i]
		for j := i; j < min(i+spreadAhead, len(starting)); j++ {
			next := starting[j]
			if slices.ContainsFunc(group, func(d due) bool { return d.host() == next.host() }) {
				continue
			}
			copy(starting[i+1:j+1], starting[i:j])
			starting[i] = next
			break
		}
	}
}

func (d due) host() string { return d.target.Config.URL.Host }

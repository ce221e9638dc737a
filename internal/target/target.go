// Package target is the state of a target across scrapes: its in-flight probes, its last
// results, its counters, the evidence for verdicts and its idle connections.
//
// Read target.go first, then outcome.go, stored.go and results.go; usual.go says which results count, evidence.go what
// verdicts are made from, idlepool.go the pool of idle connections, remembered.go the counters of targets that are not
// configured. The values that metrics and pages read are in the package state.
package target

import (
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/schedule"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// Target is a configured target, of one configuration, with what is known of it.
type Target struct {
	*Known
	Config *config.Target
	Policy *module.Networks
	Idle   *IdlePool // nil where the module has no idle connections
	// Application is what is known of the application's connections to the target's host and port. Targets of the same
	// host and port share it.
	Application *Application
	Shared      time.Duration // for which a result answers scrapes where that is longer than the target's min_interval
}

// Known is what is known of a target. It outlives a configuration if the next one has the same target.
type Known struct {
	Totals   *state.Totals
	Timeline *state.Timeline
	Probes   Probes
	Results  Results
	Evidence Evidence
	Lifetime Lifetime
	usual    usual
	taken    taken
}

// Probes are a target's probes that are in flight or about to start, and Probe is one of them.
type (
	Probes = schedule.Group[*Outcome]
	Probe  = schedule.InFlight[*Outcome]
)

// NewKnown is what is known before the first probe.
func NewKnown() *Known { return &Known{Totals: state.NewTotals(), Timeline: new(state.Timeline)} }

// Probed is the target as it is probed. The operator has named its host; the policy is for where redirects lead.
func (t *Target) Probed() prober.Target {
	return prober.Target{URL: t.Config.URL, Policy: t.Policy, Configured: true}
}

// Key identifies the target across configurations.
func (t *Target) Key() Key {
	return Identity{Name: t.Config.Name, Module: t.Config.Module.Name, Target: t.Config.URL.String()}.Key()
}

// Claim is a scrape's claim on a probe of the target.
func (t *Target) Claim(now, until time.Time, slack time.Duration) schedule.Claim {
	c := schedule.Claim{Now: now, Until: until, Allowed: until.Sub(now), Slack: slack,
		Recent: max(t.Config.MinInterval, t.Shared)}
	if timeout := t.Config.Module.Timeout; timeout > 0 {
		c.Allowed = min(c.Allowed, timeout)
	}
	return c
}

// Count counts an outcome that is the target's.
func (t *Target) Count(o *Outcome) {
	t.Totals.Add(o.Result, o.Record)
	t.Timeline.Add(state.Tick{Record: o.Record, Ended: o.Ended, Elapsed: o.Result.Elapsed,
		Phases: state.PhaseTimesOf(o.Result.Last()), Failure: o.Result.Failure.Brief()})
	t.Evidence.Add(o.seen())
}

// IdleState is what is known of the target's idle connections, also of those that an earlier configuration had.
func (t *Target) IdleState() state.Idle {
	idle := t.Idle.State()
	idle.Lifetime = t.Lifetime.Search()
	return idle
}

// ForVerdict is the evidence for a verdict on the target; false where nothing failed recently.
func (t *Target) ForVerdict() (cause.Evidence, bool) {
	e, fails := t.Evidence.forVerdict(t.Idle.Fates(), t.Application.evidence(time.Now()))
	if fails {
		e.Lifetime = t.Lifetime.Search()
	}
	return e, fails
}

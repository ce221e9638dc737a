// Package target is what is known of a target across scrapes, and whose owner it is: its probes in flight, its last
// results, what was counted, observed and kept idle.
//
// Read target.go first, then outcome.go and results.go; usual.go says which results count, observed.go what verdicts
// are made from, idlepool.go how connections are kept idle, remembered.go what is kept of targets that are not
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
	Idle   *IdlePool
}

// Known is what is known of a target. It outlives a configuration if the next one has the same target.
type Known struct {
	Totals   *state.Totals
	Timeline *state.Timeline
	Probes   Probes
	Results  Results
	Observed Observed
	Lifetime Lifetime
	usual    usual
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
	c := schedule.Claim{Now: now, Until: until, Allowed: until.Sub(now), Slack: slack, Recent: t.Config.MinInterval}
	if timeout := t.Config.Module.Timeout; timeout > 0 {
		c.Allowed = min(c.Allowed, timeout)
	}
	return c
}

// Observe counts an outcome that is the target's.
func (t *Target) Observe(o *Outcome) {
	t.Totals.Observe(o.Result)
	t.Timeline.Add(state.Tick{Record: o.Record, Ended: o.Ended, Elapsed: o.Result.Elapsed,
		Failure: o.Result.Failure.Brief()})
	t.Observed.Add(cause.Observe(o.Result, o.Late, o.Ended))
}

// Evidence is what a verdict on the target is made from; false where nothing failed recently.
func (t *Target) Evidence() (cause.Evidence, bool) {
	e, fails := t.Observed.evidence(t.Idle.Fates())
	if fails {
		e.Lifetime = t.Lifetime.Search()
	}
	return e, fails
}

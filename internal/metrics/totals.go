package metrics

import (
	"time"

	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// Totals adds what was counted of a target. What alerts need is there from the first scrape: resets in every phase, at
// 0 if there was none.
func (e *Exposition) Totals(t *state.Totals) {
	c := e.counts()
	t.CopyTo(c)
	e.counter("probe_attempts_total", "Attempts since the exporter first saw the target.", float64(c.Attempts))
	e.counter("probe_attempts_failed_total", "Attempts that failed since the exporter first saw the target.",
		float64(c.Failed))
	for i, row := range result.Phases {
		e.counter("probe_connection_resets_total", "Attempts that ended with a connection reset, by phase.",
			float64(c.Resets[i]), label{"phase", string(row.Phase)})
	}
	for _, f := range c.Failures {
		e.counter("probe_failures_total", "Attempts that failed, by phase, reason, errno and origin.", float64(f.N),
			label{"errno", f.Errno}, label{"origin", f.Origin}, label{"phase", f.Phase}, label{"reason", f.Reason})
	}
	for _, f := range c.IdleFailures {
		e.counter("probe_keepalive_failures_total",
			"Idle connections that were closed while idle (phase idle) or failed when used again.", float64(f.N),
			label{"errno", f.Errno}, label{"idle", AgeLabel(f.Age)}, label{"origin", f.Origin},
			label{"phase", f.Phase}, label{"reason", f.Reason})
	}
	for i, row := range result.Phases {
		for failed, result := range []string{"success", "failure"} {
			if h := c.Durations[i][failed]; h != nil && h.Count() > 0 {
				e.histogram("probe_phase_duration_seconds",
					"How long the phases of all attempts took, in seconds, by whether the phase succeeded.", h,
					label{"phase", string(row.Phase)}, label{"result", result})
			}
		}
	}
	e.timestamp("probe_last_success_timestamp_seconds", "Unix time at which a probe last succeeded.", c.LastSuccess)
	e.timestamp("probe_last_failure_timestamp_seconds", "Unix time at which a probe last failed.", c.LastFailure)
}

// counts is where a target's totals are copied to: its samples refer to the histograms in it.
func (e *Exposition) counts() *state.Counts {
	if n := len(e.copies); e.targets == n {
		more := make([]state.Counts, min(max(1, n), 64)) // in one piece: a thousand targets are many
		for i := range more {
			e.copies = append(e.copies, &more[i])
		}
	}
	e.targets++
	return e.copies[e.targets-1]
}

// timestamp adds a moment, unless it has not come yet.
func (e *Exposition) timestamp(name, help string, at time.Time) {
	if !at.IsZero() {
		e.gauge(name, help, float64(at.UnixMilli())/1000)
	}
}

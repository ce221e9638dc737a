package metrics

import (
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// Target adds the facts of a configured target.
func (e *Exposition) Target(t *config.Target) {
	labels := make([]label, 0, 2+len(t.Labels))
	for _, l := range t.Labels {
		labels = append(labels, label{l.Name, l.Value})
	}
	labels = append(labels, label{"module", t.Module.Name}, label{"url", t.ShownURL})
	e.gauge("probe_target_info", "1, with the configured target's URL, module and labels.", 1, labels...)
}

// Age adds how old a result is, of targets with min_interval: it is 0 for others.
func (e *Exposition) Age(age time.Duration) {
	e.gauge("probe_result_age_seconds", "Time since the probe of this result ended, in seconds; 0 for a probe of "+
		"this scrape.", age.Seconds())
}

// Reliable adds whether a probe's times can be believed.
func (e *Exposition) Reliable(reliable bool) {
	e.gauge("probe_reliable", "0 if the exporter was overloaded during the probe, and a phase's duration or the failure "+
		"may be its own; 1 otherwise.", number(reliable))
}

// Keepalive adds what became of idle connections.
func (e *Exposition) Keepalive(k *state.Idle) {
	for _, a := range k.Ages {
		e.gauge("probe_keepalive_success", "1 if the connection that was idle for that long still served a request, "+
			"0 if not.", number(a.Last.Failure == nil),
			label{"idle", AgeLabel(a.Age)})
	}
	for _, a := range k.Ages {
		if a.Last.Failure != nil || e.detail == Whole {
			e.gauge("probe_keepalive_idle_seconds", "Time that the connection that did not serve a request had been idle "+
				"when it was used again, or when it was closed, in seconds.",
				a.Last.Idle.Seconds(), label{"idle", AgeLabel(a.Age)})
		}
	}
	e.lifetime(k.Lifetime)
	if k.Asked && k.Announced != 0 {
		e.gauge("probe_keepalive_announced_seconds",
			"Idle timeout that the server announces, in seconds; 0 if it closes the connection after each response.",
			max(0, k.Announced.Seconds()))
	}
}

// lifetime adds what is measured of the lifetime of idle connections.
func (e *Exposition) lifetime(s lifetime.Search) {
	for _, row := range []struct {
		bound string
		age   time.Duration
	}{{"survived", s.Survived}, {"died", s.Died}} {
		if row.age > 0 {
			e.gauge("probe_keepalive_lifetime_seconds", "Measured idle lifetime of connections, in seconds: the longest "+
				"age at which one still served a request (survived), and the shortest at which one did not, twice (died).",
				row.age.Seconds(), label{"bound", row.bound})
		}
	}
	for _, row := range []struct {
		by  string
		end lifetime.End
	}{{"age", s.End}, {"clock", s.Clock}} {
		if row.end != "" {
			e.gauge("probe_keepalive_end_info", "How idle connections end: always at a similar age (age), or once and "+
				"not again at that age (clock), as when a server is reloaded. The value is 1.",
				1, label{"by", row.by}, label{"end", string(row.end)})
		}
	}
}

// AgeLabel is how an age is written: as in the configuration, 5m and not 5m0s.
func AgeLabel(age time.Duration) string { return model.Duration(age).String() }

// Totals adds what was counted of a target. What alerts need is there from the first scrape: resets in every phase in
// which there may be some, at 0 if there was none.
func (e *Exposition) Totals(t *state.Totals, kept Kept) {
	c := &e.counts
	t.CopyTo(c)
	e.counter("probe_attempts_total", "Attempts since the exporter first saw the target.", float64(c.Attempts))
	e.counter("probe_attempts_failed_total", "Attempts that failed since the exporter first saw the target.",
		float64(c.Failed))
	for i, row := range result.Phases {
		if c.Resets[i] == 0 && !slices.Contains(kept.Resets, row.Phase) {
			continue
		}
		e.counter("probe_connection_resets_total", "Attempts that ended with a connection reset, by phase.",
			float64(c.Resets[i]), label{"phase", string(row.Phase)})
	}
	for _, f := range c.Failures {
		e.add("probe_failures_total", "Attempts that failed, by phase, reason, errno and origin.",
			dto.MetricType_COUNTER, sample{value: float64(f.N), exemplar: exemplarOf(f.Record)},
			label{"errno", f.Errno}, label{"origin", f.Origin}, label{"phase", f.Phase}, label{"reason", f.Reason})
	}
	for _, f := range c.IdleFailures {
		e.counter("probe_keepalive_failures_total",
			"Idle connections that were closed while idle (phase idle) or failed when used again.", float64(f.N),
			label{"errno", f.Errno}, label{"idle", AgeLabel(f.Age)}, label{"origin", f.Origin},
			label{"phase", f.Phase}, label{"reason", f.Reason})
	}
	e.addHistograms(c, kept.Histograms)
	e.timestamp("probe_last_success_timestamp_seconds", "Unix time at which a probe last succeeded.", c.LastSuccess)
	e.timestamp("probe_last_failure_timestamp_seconds", "Unix time at which a probe last failed.", c.LastFailure)
}

// timestamp adds a moment, unless it has not come yet.
func (e *Exposition) timestamp(name, help string, at time.Time) {
	if !at.IsZero() {
		e.gauge(name, help, float64(at.UnixMilli())/1000)
	}
}

// Cause adds the verdict, and whether experiments show an interception; nil is none.
func (e *Exposition) Cause(v *cause.Verdict) {
	if v == nil {
		return
	}
	e.gauge("probe_cause_info", "1, with the most likely cause of the target's recent failures, the responsible "+
		"party and the confidence; absent without recent failures.", 1,
		label{"cause", string(v.Cause)}, label{"party", string(v.Party)}, label{"confidence", string(v.Confidence)})
	if v.Intercepted != nil {
		e.gauge("probe_intercepted", "1 if experiments after a failure show that something near the exporter answers "+
			"in place of the target, so that the phase connect measures it; 0 if not, absent without them.",
			number(*v.Intercepted))
	}
}

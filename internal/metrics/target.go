package metrics

import (
	"time"

	"errno_exporter/config"
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

// Freshness adds how old a result is, and whether its times can be believed.
func (e *Exposition) Freshness(age time.Duration, reliable bool) {
	e.gauge("probe_result_age_seconds", "Time since the probe of this result ended, in seconds; 0 for a probe of "+
		"this scrape.", age.Seconds())
	e.Reliable(reliable)
}

// Reliable adds whether a probe's times can be believed.
func (e *Exposition) Reliable(reliable bool) {
	e.gauge("probe_reliable", "0 if the exporter was overloaded during the probe, so that the probe's durations are "+
		"too long; 1 otherwise.", number(reliable))
}

package metrics

import (
	"strconv"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Probe adds the samples of one probe: those of blackbox_exporter's http prober under their names, and ours. They
// describe the last attempt. What was not measured has no sample, except where blackbox_exporter's users rely on a
// zero.
func (e *Exposition) Probe(r *result.Result, m *module.Module) {
	attempt := r.Last()
	e.addVerdict(r)
	e.addAddress(&attempt.Hops[0], m)
	e.addNetwork(r)
	e.addDurations(attempt)
	e.addOwnDelay(r)
	e.addHTTP(attempt, m, r.Failure)
	e.addTLS(attempt)
	e.addBytes(attempt)
	e.addTCP(attempt)
	e.addAddresses(r)
	e.addFamilies(&attempt.Hops[0])
	e.addExtended(&attempt.Hops[0])
	e.addComparison(&attempt.Hops[0])
}

func (e *Exposition) addVerdict(r *result.Result) {
	e.gauge("probe_success", "1 if the probe succeeded, 0 if not.", number(r.Failure == nil))
	e.gauge("probe_duration_seconds", "Duration of the whole probe, in seconds.", r.Elapsed.Seconds())
	e.gauge("probe_timeout_seconds", "Deadline of the probe, in seconds after its start.", r.Timeout.Seconds())
	e.gauge("probe_attempts_made", "Number of attempts of this probe.", float64(len(r.Attempts)))
	if failure := r.Failure; failure != nil {
		e.gauge("probe_failure_info", "1 if the probe failed, with phase, reason, errno and origin; absent if it "+
			"succeeded.", 1,
			label{"errno", result.ErrnoName(failure.Errno)},
			label{"origin", string(failure.Origin)},
			label{"phase", string(failure.Phase)},
			label{"reason", string(failure.Reason)})
		if failure.Check != "" {
			e.gauge("probe_failed_check_info", "1 with the kind of rule that refused the response, and which of them, from "+
				"0; absent if none did.", 1,
				label{"check", string(failure.Check)}, label{"index", strconv.Itoa(failure.Index)})
		}
	}
}

// addDurations adds each phase's time, summed over the hops. A phase that failed has the time until it failed; one that
// never began has no sample. Judging takes no time worth a sample, and idle is for idle connections.
func (e *Exposition) addDurations(a *result.Attempt) {
	for _, row := range result.Phases {
		if row.Phase == result.Validate || row.Phase == result.Idle {
			continue
		}
		if spent, began := spentIn(a, row.Phase); began {
			e.gauge("probe_http_duration_seconds",
				"Duration of each phase that began, in seconds, summed over the redirects that were followed.",
				spent.Seconds(), label{"phase", string(row.Phase)})
		}
	}
}

// addOwnDelay adds what of the probe's duration is in no phase.
func (e *Exposition) addOwnDelay(r *result.Result) {
	a := r.Last()
	own := a.Elapsed
	for i := range a.Hops {
		for _, s := range a.Hops[i].Spans {
			own -= s.Duration
		}
	}
	e.gauge("probe_own_delay_seconds", "Time of the last attempt outside of all phases, in seconds: the exporter "+
		"waited for a CPU, or computed.", max(0, own).Seconds())
}

// spentIn sums a phase's time over the hops and reports whether the phase began at all.
func spentIn(a *result.Attempt, p result.Phase) (time.Duration, bool) {
	var spent time.Duration
	began := false
	for i := range a.Hops {
		if span, ok := a.Hops[i].Span(p); ok {
			spent += span.Duration
			began = true
		}
	}
	return spent, began
}

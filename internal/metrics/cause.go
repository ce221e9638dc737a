package metrics

import "errno_exporter/internal/cause"

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

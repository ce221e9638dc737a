package metrics

import "errno_exporter/internal/cause"

// Cause adds the verdict; nil is none.
func (e *Exposition) Cause(v *cause.Verdict) {
	if v != nil {
		e.gauge("probe_cause_info", "1, with the most likely cause of the target's recent failures, the responsible "+
			"party and the confidence; absent without recent failures.", 1,
			label{"cause", string(v.Cause)}, label{"party", string(v.Party)}, label{"confidence", string(v.Confidence)})
	}
}

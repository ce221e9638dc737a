package metrics

import "errno_exporter/internal/cause"

// Cause adds the verdict; nil is none.
func (e *Exposition) Cause(v *cause.Verdict) {
	if v != nil {
		e.gauge("probe_cause_info", "1, with the cause of the target's failures as far as the evidence shows it, whose it is, and how sure that is; absent where nothing failed recently.", 1,
			label{"cause", string(v.Cause)}, label{"party", string(v.Party)}, label{"confidence", string(v.Confidence)})
	}
}

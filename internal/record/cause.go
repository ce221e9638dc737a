package record

import (
	"fmt"

	"errno_exporter/internal/cause"
)

// findings say why it failed, with the evidence, and what to do.
func (p *page) findings(f cause.Findings) {
	if v := f.Verdict; v != nil {
		p.section("Cause: %s (confidence %s)", v.Cause, v.Confidence)
		p.prose(v.Cause.Info().Sentence + " " + v.Cause.Info().Advice)
		for _, evidence := range v.Evidence {
			p.line("  - %s", evidence)
		}
	}
	if len(f.Controls) > 0 {
		p.section("Control attempts")
		for i := range f.Controls {
			p.line("  %s", cause.ControlText(&f.Controls[i]))
		}
	}
}

// CauseLine is a verdict in one line: "firewall_reject (high): a firewall rejects …".
func CauseLine(v *cause.Verdict) string {
	return fmt.Sprintf("%s (%s): %s", v.Cause, v.Confidence, v.Cause.Info().Sentence)
}

package metrics

import (
	"testing"

	"errno_exporter/config"
	"errno_exporter/prober"
)

// TestFailedDueToCEL: the series exists only for modules with CEL, as in blackbox_exporter.
func TestFailedDueToCEL(t *testing.T) {
	with := config.NewModule("with")
	with.FailIfBodyJSONMatches = new(config.CEL)
	for _, row := range []struct {
		name    string
		module  *config.Module
		failure *prober.Failure
		want    float64 // -1 for no series
	}{
		{"no CEL", config.NewModule("without"), nil, -1},
		{"not failed", with, nil, 0},
		{"failed by CEL", with, &prober.Failure{Phase: prober.Validate, Reason: prober.HTTPContent, Check: prober.CheckCEL}, 1},
		{"failed by a regexp", with, &prober.Failure{Phase: prober.Validate, Reason: prober.HTTPContent, Check: prober.CheckBody}, 0},
		{"reset in the body", with, &prober.Failure{Phase: prober.Transfer, Reason: prober.TCPReset}, 0},
	} {
		r := &prober.Result{Attempts: []prober.Attempt{{Hops: []prober.Hop{{}}}}, Failure: row.failure}
		got := -1.0
		e := NewExposition()
		e.Probe(r, row.module)
		for _, family := range e.Families() {
			if family.GetName() == "probe_failed_due_to_cel" {
				got = family.Metric[0].GetGauge().GetValue()
			}
		}
		if got != row.want {
			t.Errorf("%s: probe_failed_due_to_cel = %v, want %v", row.name, got, row.want)
		}
	}
}

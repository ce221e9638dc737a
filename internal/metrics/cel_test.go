package metrics

import (
	"testing"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestFailedDueToCEL: the series exists only for modules with CEL, as in blackbox_exporter.
func TestFailedDueToCEL(t *testing.T) {
	with := module.New("with")
	with.FailIfBodyJSONMatches = new(module.CEL)
	for _, row := range []struct {
		name    string
		module  *module.Module
		failure *result.Failure
		want    float64 // -1 for no series
	}{
		{"no CEL", module.New("without"), nil, -1},
		{"not failed", with, nil, 0},
		{"failed by CEL", with, &result.Failure{Phase: result.Validate, Reason: result.HTTPContent,
			Check: result.CheckCEL}, 1},
		{"failed by a regexp", with, &result.Failure{Phase: result.Validate, Reason: result.HTTPContent,
			Check: result.CheckBody}, 0},
		{"reset in the body", with, &result.Failure{Phase: result.Transfer, Reason: result.TCPReset}, 0},
	} {
		r := &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}, Failure: row.failure}
		got := -1.0
		e := NewExposition()
		e.Reset(Delimited)
		e.Probe(r, row.module)
		for _, family := range e.Families(t) {
			if family.GetName() == "probe_failed_due_to_cel" {
				got = family.Metric[0].GetGauge().GetValue()
			}
		}
		if got != row.want {
			t.Errorf("%s: probe_failed_due_to_cel = %v, want %v", row.name, got, row.want)
		}
	}
}

package metrics

import (
	"testing"

	"errno_exporter/internal/cause"
)

// The interception is exposed as far as experiments were made on it.
func TestIntercepted(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		name    string
		verdict *cause.Verdict
		want    float64 // -1 for none
	}{
		{"no verdict", nil, -1},
		{"no experiment", &cause.Verdict{Cause: cause.Unknown}, -1},
		{"intercepted", &cause.Verdict{Cause: cause.Intercepted, Intercepted: &yes}, 1},
		{"not intercepted", &cause.Verdict{Cause: cause.Unknown, Intercepted: &no}, 0},
	} {
		got := -1.0
		e := NewExposition()
		e.Cause(row.verdict)
		for _, family := range e.Families() {
			if family.GetName() == "probe_intercepted" {
				got = family.Metric[0].GetGauge().GetValue()
			}
		}
		if got != row.want {
			t.Errorf("%s: probe_intercepted = %v, want %v", row.name, got, row.want)
		}
	}
}

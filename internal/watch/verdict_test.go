package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"errno_exporter/prober"
)

// Rounds of control attempts are bounded by the hour, and there is one at a time.
func TestDiagnoseBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observed
		failed := prober.Result{Failure: &prober.Failure{}, Attempts: []prober.Attempt{{Hops: []prober.Hop{{}}}}}
		for _, step := range []struct {
			after time.Duration
			may   bool
			ends  bool
		}{
			{0, true, false},
			{time.Minute, false, true}, // the first is still under way
			{time.Minute, true, true},
			{time.Minute, false, false}, // two of two
			{50 * time.Minute, false, false},
			{10 * time.Minute, true, true}, // the first is more than an hour ago
		} {
			time.Sleep(step.after)
			if may := o.begin(2); may != step.may {
				t.Errorf("after %s: begin() = %t, want %t", step.after, may, step.may)
			}
			if step.ends {
				o.end(&failed, []prober.Control{{Kind: prober.Again}})
			}
		}
	})
}

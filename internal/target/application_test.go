package target

import (
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/observe"
)

// The failed ends of the last hour are kept, at most so many, and one sample a minute of the last half hour.
func TestApplicationIsBounded(t *testing.T) {
	var a Application
	began := time.Now()
	for i := range 2 * maxApplicationEnds {
		at := began.Add(time.Duration(i) * time.Second)
		a.Ended(&observe.End{How: observe.ResetReceived, At: at})
		a.Ended(&observe.End{How: observe.FINReceived, At: at}) // is no failure
		a.Sample(&observe.Connections{States: map[string]int{"close_wait": i}}, at)
	}
	last := began.Add((2*maxApplicationEnds - 1) * time.Second)
	e := a.evidence(last)
	if n := len(e.Ends); n != maxApplicationEnds || !e.Ends[n-1].At.Equal(last) {
		t.Errorf("%d ends are kept, want the newest %d", n, maxApplicationEnds)
	}
	if n := len(e.Samples); n != 3 || e.Samples[1].CloseWait != 55 { // of two minutes
		t.Errorf("%d samples are kept, want one in 55 seconds: %+v", n, e.Samples)
	}
	for i := range 2 * maxSamples {
		a.Sample(&observe.Connections{}, last.Add(time.Duration(i+1)*time.Minute))
	}
	if n := len(a.evidence(last).Samples); n != maxSamples {
		t.Errorf("%d samples are kept, want %d", n, maxSamples)
	}
	if n := len(a.evidence(last.Add(applicationEndAge - 10*time.Second)).Ends); n != 11 {
		t.Errorf("%d ends are of the last hour, want 11", n)
	}
	if a.Forget(); len(a.evidence(last).Ends)+len(a.evidence(last).Samples) != 0 {
		t.Error("what was forgotten is still there")
	}
	claims.Prove(t, "ends of the application's connections", maxApplicationEnds, maxSamples)
}

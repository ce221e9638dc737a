package target

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/incident"
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

// Each of the targets of one host and port takes all that became of the application's connections, once, from when it
// was probed first, also after the observation was switched off and on.
func TestTakeApplication(t *testing.T) {
	shared, at := new(Application), time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	a, b := &Target{Known: NewKnown(), Application: shared}, &Target{Known: NewKnown(), Application: shared}
	end := func(n int) func() {
		return func() {
			for range n {
				shared.Ended(&observe.End{How: observe.ResetReceived, Idle: 65 * time.Second})
			}
		}
	}
	for n, row := range []struct {
		before     func()
		target     *Target
		since      int // minutes
		ended      uint64
		idle, wait float64
	}{
		{end(3), a, 0, 0, 0, 0},
		{end(2), a, 0, 2, 130, 0},
		{end(0), b, 2, 0, 0, 0},
		{end(4), a, 1, 4, 260, 0},
		{end(1), b, 2, 5, 325, 0},
		{end(0), b, 4, 0, 0, 0},
		{func() { shared.Sample(&observe.Connections{OldestCloseWait: time.Minute}, at) }, a, 3, 1, 65, 60},
		{func() { shared.Forget(); end(2)() }, a, 6, 2, 130, 0},
		{end(0), a, 7, 0, 0, 0},
	} {
		row.before()
		got := row.target.TakeApplication(at.Add(time.Duration(n) * time.Minute))
		want := &incident.Application{Since: at.Add(time.Duration(row.since) * time.Minute), Ended: row.ended,
			OldestCloseWait: row.wait}
		if row.ended > 0 {
			want.Ends = []incident.Ends{{How: observe.ResetReceived, Count: row.ended, Idle: row.idle,
				IdleFor: []incident.IdleFor{{Below: 75, Count: row.ended}}}}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in minute %d (-want +got):\n%s", n, diff)
		}
	}
}

package target

import (
	"testing"
	"testing/synctest"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Rounds of experiments are bounded by the hour, and there is one at a time.
func TestDiagnoseBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o Evidence
		failed := result.Result{Failure: &result.Failure{}, Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}
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
			if may := o.Begin(2); may != step.may {
				t.Errorf("after %s: Begin() = %t, want %t", step.after, may, step.may)
			}
			if step.ends {
				o.End(&failed, []result.Experiment{{Kind: result.Again}})
			}
		}
	})
}

// What became of idle connections is remembered, each fate once, and the number is bounded.
func TestFates(t *testing.T) {
	var o Evidence
	at := time.Now()
	for i := range 2 * maxFates {
		fate := cause.IdleConn{Age: time.Minute, At: at.Add(time.Duration(i) * time.Minute)}
		o.addIdle([]cause.IdleConn{fate})
		o.addIdle([]cause.IdleConn{fate})
	}
	if first := at.Add(maxFates * time.Minute); len(o.idle) != maxFates || !o.idle[0].At.Equal(first) {
		t.Errorf("%d fates are kept from %s on, want %d from %s on", len(o.idle), o.idle[0].At, maxFates, first)
	}
}

// What the kernel counted is evidence, for the two newest failures that have it: it may be large.
func TestKernelCountersAreEvidence(t *testing.T) {
	var o Evidence
	all := []*counters.Around{new(counters.Around), new(counters.Around), new(counters.Around)}
	for _, kernel := range []*counters.Around{all[0], nil, all[1], nil, nil, all[2], nil} {
		outcome := Outcome{Kernel: kernel, Result: &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}}
		if kernel != nil {
			outcome.Result.Failure = &result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut}
		}
		o.Add(outcome.Digest())
	}
	e, fails := o.forVerdict(nil, cause.Application{})
	if !fails {
		t.Fatal("nothing fails")
	}
	for i, want := range []*counters.Around{nil, nil, all[1], nil, nil, all[2], nil} {
		if got := e.Recent[i].Kernel; got != want {
			t.Errorf("probe %d: counters %p, want %p", i, got, want)
		}
	}
}

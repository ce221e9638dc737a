package prober_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// TestHealthyServersAreNeverAccused probes healthy servers as fast as it can, 200 at once: not one probe may fail.
func TestHealthyServersAreNeverAccused(t *testing.T) {
	const probes, concurrency = 5000, 200
	targets := []string{
		faultlab.Handler(t, faultlab.Healthy),
		faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1"),
		faultlab.TLSHandler(t, faultlab.Healthy, "h2", "http/1.1"),
	}
	p, m := prober.New(prober.Options{}), labModule()
	m.Timeout = time.Minute
	var next atomic.Int64
	var wait sync.WaitGroup
	for range concurrency {
		wait.Go(func() {
			for n := next.Add(1); n <= probes; n = next.Add(1) {
				if r := probe(t, p, targets[n%int64(len(targets))], m); r.Failure != nil {
					t.Errorf("Probe(%s) = %+v, want success%s", r.Target.URL, outcomeOf(r.Failure), evidence(&r))
				}
			}
		})
	}
	wait.Wait()
}

// TestPhasesAreWhatTheServerSaw compares a probe's phases with the times at which the server read the request, answered
// and finished. On each probe a phase is at least as long as the server's own time, less what its clock reads late; the
// difference is that of the median, since a single goroutine of the server or of the prober may wait for a CPU.
func TestPhasesAreWhatTheServerSaw(t *testing.T) {
	const head, tail = 50 * time.Millisecond, 30 * time.Millisecond
	const probes, within = 11, time.Millisecond
	p, m := prober.New(prober.Options{}), labModule()
	reported := make(chan faultlab.Times, 1)
	target := faultlab.Slow(t, head, tail, func(times faultlab.Times) { reported <- times })
	var off []time.Duration
	var seen string
	for range probes {
		r := probe(t, p, target, m)
		if r.Failure != nil {
			t.Fatalf("Probe(%s) = %+v, want success%s", target, outcomeOf(r.Failure), evidence(&r))
		}
		times, hop := <-reported, r.Last().LastHop()
		processing, processed := hop.Span(result.Processing)
		transfer, transferred := hop.Span(result.Transfer)
		if !processed || !transferred || processing.Start+processing.Duration > transfer.Start {
			t.Fatalf("processing %v, transfer %v, want one after the other%s", processing, transfer, evidence(&r))
		}
		if both := processing.Duration + transfer.Duration; both < head+tail || both > r.Elapsed {
			t.Errorf("processing and transfer take %v, want the server's %v at least and the probe's %v at most%s",
				both, head+tail, r.Elapsed, evidence(&r))
		}
		off = append(off, (processing.Duration - times.Answered.Sub(times.Asked)).Abs(),
			(transfer.Duration - times.Finished.Sub(times.Answered)).Abs())
		seen = evidence(&r)
	}
	slices.Sort(off)
	if median := off[len(off)/2]; median > within {
		t.Errorf("the phases are %v from what the server saw, want %v%s", median, within, seen)
	}
}

// TestFailedPhaseHasItsTime: a phase that failed has the time it took until then, however soon the end came.
func TestFailedPhaseHasItsTime(t *testing.T) {
	p, m := prober.New(prober.Options{}), labModule()
	for _, target := range []string{faultlab.ResetAfterRequest(t), faultlab.FinAfterRequest(t),
		faultlab.TLSResetAfterRequest(t), faultlab.H2ResetAfterRequest(t)} {
		for range raced {
			r := probe(t, p, target, m)
			processing, began := r.Last().LastHop().Span(result.Processing)
			if !began || processing.Duration <= 0 {
				t.Fatalf("Probe(%s): processing %v, began %v, want the time until the end%s", target,
					processing.Duration, began, evidence(&r))
			}
		}
	}
}

func TestCancelledProbeIsAbandoned(t *testing.T) {
	arrived := make(chan struct{}, 1)
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	p, m := prober.New(prober.Options{}), labModule()
	for _, target := range []string{
		faultlab.Handler(t, hang),
		faultlab.TLSHandler(t, hang, "http/1.1"),
		faultlab.TLSHandler(t, hang, "h2"),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		r := probeContext(ctx, t, p, target, m)
		want := outcome{result.Processing, result.Abandoned, 0, result.Self, ""}
		if got := outcomeOf(r.Failure); got != want {
			t.Errorf("Probe(%s) = %+v, want %+v%s", target, got, want, evidence(&r))
		}
	}
}

func TestDeadlineOfTheContextCounts(t *testing.T) {
	p, m := prober.New(prober.Options{}), labModule()
	m.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := probeContext(ctx, t, p, faultlab.Silent(t), m)
	if got := outcomeOf(r.Failure); got != tooSlow || r.Timeout.Round(10*time.Millisecond) != patience {
		t.Errorf("Probe = %+v with timeout %v, want %+v with %v", got, r.Timeout, tooSlow, patience)
	}
}

// TestInformationalResponsesAreNotTheAnswer: processing goes on until the final response begins.
func TestInformationalResponsesAreNotTheAnswer(t *testing.T) {
	release := make(chan struct{})
	target := faultlab.InformationalThenOK(t, release)
	timer := time.AfterFunc(100*time.Millisecond, func() { close(release) })
	defer timer.Stop()
	r := probe(t, prober.New(prober.Options{}), target, labModule())
	processing, _ := r.Last().LastHop().Span(result.Processing)
	if r.Failure != nil || processing.Duration < 90*time.Millisecond {
		t.Errorf("Probe = %+v, processing %v, want success after at least 90ms%s", outcomeOf(r.Failure),
			processing.Duration, evidence(&r))
	}
}

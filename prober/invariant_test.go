package prober_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// probe probes once and holds the Result to what every Result must satisfy.
func probe(t testing.TB, p *prober.Prober, url string, m *module.Module) result.Result {
	t.Helper()
	return probeContext(context.Background(), t, p, url, m)
}

func probeContext(ctx context.Context, t testing.TB, p *prober.Prober, url string, m *module.Module) result.Result {
	t.Helper()
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Errorf("ParseTarget(%q): %v", url, err)
		return result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}, Failure: &result.Failure{}}
	}
	r := p.Probe(ctx, target, m)
	checkInvariants(t, &r)
	return r
}

func checkInvariants(t testing.TB, r *result.Result) {
	t.Helper()
	last := r.Last().LastHop()
	if f := r.Failure; f != nil {
		if !slices.Contains(f.Reason.Info().Phases, f.Phase) {
			t.Errorf("%s: (%s, %s) is not in the table of reasons", r.Target.URL, f.Phase, f.Reason)
		}
		if n := len(last.Spans); n == 0 || last.Spans[n-1].Phase != f.Phase || !last.Spans[n-1].Failed {
			t.Errorf("%s: the failure is in phase %s, the spans are %+v", r.Target.URL, f.Phase, last.Spans)
		}
		if (f.Phase == result.Validate) != (f.Check != "") {
			t.Errorf("%s: phase %s and check %q do not go together", r.Target.URL, f.Phase, f.Check)
		}
		if f.Sentence() == "" {
			t.Errorf("%s: the failure has no sentence", r.Target.URL)
		}
	}
	if (r.Failure == nil) != (r.Last().Failure == nil) {
		t.Errorf("%s: result and last attempt disagree on the failure", r.Target.URL)
	}
	var sum, end time.Duration
	for i := range r.Last().Hops {
		hop := &r.Last().Hops[i]
		for j, span := range hop.Spans {
			failedHere := r.Failure != nil && hop == last && j == len(hop.Spans)-1
			if span.Failed != failedHere {
				t.Errorf("%s: span %s: failed is %v", r.Target.URL, span.Phase, span.Failed)
			}
			if span.Doubt < 0 || span.Failed && span.Doubt != span.Duration {
				t.Errorf("%s: span %s may be wrong by %s of its %s", r.Target.URL, span.Phase, span.Doubt, span.Duration)
			}
			if span.Start < end || span.Duration < 0 {
				t.Errorf("%s: span %s overlaps the one before it: %+v", r.Target.URL, span.Phase, hop.Spans)
			}
			end = span.Start + span.Duration
			sum += span.Duration
		}
		checkObserved(t, r, hop)
	}
	if sum > r.Elapsed {
		t.Errorf("%s: the phases take %v, the probe %v", r.Target.URL, sum, r.Elapsed)
	}
}

// checkObserved holds a hop to setting no field that was not observed.
func checkObserved(t testing.TB, r *result.Result, hop *result.Hop) {
	t.Helper()
	_, began := hop.Span(result.Transfer)
	if (hop.Response != nil) && !began {
		t.Errorf("%s: a response without a transfer phase: %+v", r.Target.URL, hop.Spans)
	}
	if hop.TLS != nil && hop.TLS.Complete && len(hop.TLS.Chain) == 0 {
		t.Errorf("%s: TLS is complete without a certificate", r.Target.URL)
	}
	if hop.Wire != nil && hop.Wire.Cause != nil && hop.Wire.Cause.Err == nil {
		t.Errorf("%s: the cause has no error: %+v", r.Target.URL, hop.Wire.Cause)
	}
	if hop.Request != nil && hop.Wire == nil {
		t.Errorf("%s: a request was sent on no connection", r.Target.URL)
	}
}

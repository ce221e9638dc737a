package metrics

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

func attempt(failure *result.Failure, spans ...result.Span) result.Attempt {
	return result.Attempt{Start: time.Unix(1000, 0), Hops: []result.Hop{{Spans: spans}}, Failure: failure}
}

func probed(attempts ...result.Attempt) *result.Result {
	return &result.Result{Start: time.Unix(1000, 0), Elapsed: 2 * time.Second, Attempts: attempts,
		Failure: attempts[len(attempts)-1].Failure}
}

// TestTotals: rows are the results counted; want are the lines that are not 0 and no bucket's.
func TestTotals(t *testing.T) {
	reset := &result.Failure{Phase: result.Processing, Reason: result.TCPReset, Errno: syscall.ECONNRESET,
		Origin: result.Peer}
	slow := &result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut, Origin: result.Self}
	left := &result.Failure{Phase: result.Connect, Reason: result.Abandoned, Origin: result.Self}
	connect := result.Span{Phase: result.Connect, Duration: 20 * time.Millisecond}
	for _, row := range []struct {
		name    string
		results []*result.Result
		want    string
	}{
		{"nothing", nil, ""},
		{"a success", []*result.Result{probed(attempt(nil, connect))}, `
probe_attempts_total 1
probe_last_success_timestamp_seconds 1002
probe_phase_duration_seconds_sum{phase="connect",result="success"} 0.02
probe_phase_duration_seconds_count{phase="connect",result="success"} 1`},
		{"a reset, twice", []*result.Result{probed(attempt(reset)), probed(attempt(reset))}, `
probe_attempts_failed_total 2
probe_attempts_total 2
probe_connection_resets_total{phase="processing"} 2
probe_failures_total{errno="ECONNRESET",origin="peer",phase="processing",reason="tcp.reset"} 2
probe_last_failure_timestamp_seconds 1002`},
		{"a failed attempt and one that succeeds", []*result.Result{probed(attempt(slow, result.Span{Phase: result.Connect, Duration: time.Second, Failed: true}), attempt(nil, connect))}, `
probe_attempts_failed_total 1
probe_attempts_total 2
probe_failures_total{errno="",origin="self",phase="connect",reason="tcp.timed_out"} 1
probe_last_success_timestamp_seconds 1002
probe_phase_duration_seconds_sum{phase="connect",result="success"} 0.02
probe_phase_duration_seconds_count{phase="connect",result="success"} 1
probe_phase_duration_seconds_sum{phase="connect",result="failure"} 1
probe_phase_duration_seconds_count{phase="connect",result="failure"} 1`},
		{"abandoned", []*result.Result{probed(attempt(left))}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			totals := NewTotals()
			for _, r := range row.results {
				totals.Observe(r)
			}
			e := NewExposition()
			e.Totals(totals)
			var got []string
			zeros := 0
			for line := range strings.Lines(e.Text()) {
				line = strings.TrimSpace(line)
				switch {
				case strings.HasPrefix(line, "#"), strings.Contains(line, "_bucket{"):
				case strings.HasSuffix(line, " 0"):
					zeros++
				default:
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(strings.TrimPrefix(row.want, "\n"), strings.Join(got, "\n")); diff != "" {
				t.Errorf("Totals (-want +got):\n%s", diff)
			}
			if present := strings.Count(e.Text(), "\nprobe_connection_resets_total{"); present != phaseCount {
				t.Errorf("%d phases have a counter of resets, want all %d", present, phaseCount)
			}
		})
	}
}

// TestHistogram: rows are observations in seconds; native is index:count of schema 3.
func TestHistogram(t *testing.T) {
	for _, row := range []struct {
		name    string
		seconds []float64
		classic map[float64]uint64 // cumulative, at bounds
		native  map[int32]uint64
		zero    uint64
	}{
		{"nothing", nil, map[float64]uint64{10: 0}, map[int32]uint64{}, 0},
		{"on a bound", []float64{0.5, 1}, map[float64]uint64{0.25: 0, 0.5: 1, 1: 2, 10: 2},
			map[int32]uint64{-8: 1, 0: 1}, 0},
		{"beyond the last bound", []float64{11}, map[float64]uint64{10: 0}, map[int32]uint64{28: 1}, 0},
		{"zero", []float64{0}, map[float64]uint64{0.001: 1}, map[int32]uint64{}, 1},
		{"twice in one bucket", []float64{3, 3.01}, map[float64]uint64{2.5: 0, 5: 2}, map[int32]uint64{13: 2}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHistogram()
			sum := 0.0
			for _, s := range row.seconds {
				h.observe(s, exemplar{})
				sum += s
			}
			native := map[int32]uint64{}
			for _, b := range h.native {
				native[int32(b.index)] = uint64(b.count)
			}
			if diff := cmp.Diff(row.native, native); diff != "" || h.zero != row.zero || h.sum != sum ||
				h.count() != uint64(len(row.seconds)) {
				t.Errorf("zero %d, sum %v, count %d, want %d, %v, %d; native (-want +got):\n%s", h.zero, h.sum,
					h.count(), row.zero, sum, len(row.seconds), diff)
			}
			for bound, want := range row.classic {
				var got uint64
				for i, b := range bounds {
					if b <= bound {
						got += h.classic[i]
					}
				}
				if got != want {
					t.Errorf("le %v: %d, want %d", bound, got, want)
				}
			}
		})
	}
}

// TestHistogramStaysSmall: more than 160 native buckets become fewer, and nothing is lost.
func TestHistogramStaysSmall(t *testing.T) {
	h := newHistogram()
	n := 0
	for v := 1e-9; v < 1e9; v *= 1.05 {
		h.observe(v, exemplar{})
		n++
	}
	var counted uint64
	for i, b := range h.native {
		counted += uint64(b.count)
		if i > 0 && b.index <= h.native[i-1].index {
			t.Fatalf("bucket %d follows bucket %d", b.index, h.native[i-1].index)
		}
	}
	if len(h.native) > maxNative || counted != uint64(n) || h.schema != 1 {
		t.Errorf("%d buckets of schema %d with %d observations, want at most %d of schema 1 with %d", len(h.native),
			h.schema, counted, maxNative, n)
	}
	if index := nativeIndex(1e-9, h.schema); int32(h.native[0].index) != index {
		t.Errorf("the first bucket is %d, want %d", h.native[0].index, index)
	}
}

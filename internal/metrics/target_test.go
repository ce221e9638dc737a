package metrics

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/target/state"
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
			totals := state.NewTotals()
			for _, r := range row.results {
				totals.Add(r, ulid.Zero)
			}
			e := NewExposition()
			e.Totals(totals, Kept{Histograms: config.ClassicHistograms,
				Resets: []result.Phase{result.TLS, result.Processing}})
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
			if present := strings.Count(e.Text(), "\nprobe_connection_resets_total{"); present != 2 {
				t.Errorf("%d phases have a counter of resets, want 2", present)
			}
		})
	}
}

// What is measured of the lifetime of idle connections has samples as far as it is known.
func TestLifetime(t *testing.T) {
	for _, row := range []struct {
		name   string
		search lifetime.Search
		want   []string
	}{
		{"nothing is known", lifetime.Search{}, nil},
		{"nothing has died", lifetime.Search{Survived: time.Minute},
			[]string{`probe_keepalive_lifetime_seconds{bound="survived"} 60`}},
		{"a bracket", lifetime.Search{Survived: 344 * time.Second, Died: 352 * time.Second, End: lifetime.RST},
			[]string{`probe_keepalive_end_info{by="age",end="rst"} 1`,
				`probe_keepalive_lifetime_seconds{bound="survived"} 344`,
				`probe_keepalive_lifetime_seconds{bound="died"} 352`}},
		{"a reload", lifetime.Search{Survived: 64 * time.Second, Clock: lifetime.FIN},
			[]string{`probe_keepalive_end_info{by="clock",end="fin"} 1`,
				`probe_keepalive_lifetime_seconds{bound="survived"} 64`}},
	} {
		e := NewExposition()
		e.Keepalive(&state.Idle{Lifetime: row.search})
		if diff := cmp.Diff(row.want, samplesOf(e.Text())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// samplesOf are the samples of an exposition.
func samplesOf(text string) (all []string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

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
		e.Reset(Delimited)
		e.Cause(row.verdict)
		for _, family := range e.Families(t) {
			if family.GetName() == "probe_intercepted" {
				got = family.Metric[0].GetGauge().GetValue()
			}
		}
		if got != row.want {
			t.Errorf("%s: probe_intercepted = %v, want %v", row.name, got, row.want)
		}
	}
}

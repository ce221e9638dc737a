package prober_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// repeated is what a test compares of a probe with retries.
type repeated struct {
	Attempts int
	Reasons  string // of the attempts, "ok" for none
	Reason   result.Reason
	AtLeast  time.Duration // that the probe took
}

func TestRetry(t *testing.T) {
	failing := func(header ...string) func(int64) http.HandlerFunc {
		return func(failures int64) http.HandlerFunc {
			var asked atomic.Int64
			return func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) <= failures {
					for i := 0; i < len(header); i += 2 {
						w.Header().Set(header[i], header[i+1])
					}
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}
		}
	}
	resets := func(t *testing.T, first int64) string {
		var asked atomic.Int64
		return faultlab.ResetWhen(t, func() bool { return asked.Add(1) <= first })
	}
	quick := module.Retry{Attempts: 3, InitialBackoff: 20 * time.Millisecond, MaxBackoff: 30 * time.Millisecond}
	for _, row := range []struct {
		name    string
		url     func(*testing.T) string
		change  func(*module.Module)
		timeout time.Duration
		want    repeated
	}{
		{"no retry unless configured", func(t *testing.T) string { return resets(t, 1) },
			func(m *module.Module) { m.Retry.Attempts = 1 }, time.Minute,
			repeated{1, "tcp.reset", result.TCPReset, 0}},
		{"the first succeeds", func(t *testing.T) string { return resets(t, 0) }, func(*module.Module) {}, time.Minute,
			repeated{1, "ok", "", 0}},
		{"the second succeeds", func(t *testing.T) string { return resets(t, 1) }, func(*module.Module) {}, time.Minute,
			repeated{2, "tcp.reset ok", "", 10 * time.Millisecond}},
		{"the last succeeds", func(t *testing.T) string { return resets(t, 2) }, func(*module.Module) {}, time.Minute,
			repeated{3, "tcp.reset tcp.reset ok", "", 25 * time.Millisecond}},
		{"none succeeds", func(t *testing.T) string { return resets(t, 9) }, func(*module.Module) {}, time.Minute,
			repeated{3, "tcp.reset tcp.reset tcp.reset", result.TCPReset, 25 * time.Millisecond}},
		{"a response that does not meet the rules",
			func(t *testing.T) string { return faultlab.Handler(t, failing()(1)) }, func(*module.Module) {},
			time.Minute,
			repeated{2, "http.error ok", "", 10 * time.Millisecond}},
		{"POST is not repeated", func(t *testing.T) string { return resets(t, 1) },
			func(m *module.Module) { m.Method = "POST" }, time.Minute,
			repeated{1, "tcp.reset", result.TCPReset, 0}},
		{"POST is, where that is wanted", func(t *testing.T) string { return resets(t, 1) },
			func(m *module.Module) { m.Method, m.RetryNonIdempotent = "POST", true }, time.Minute,
			repeated{2, "tcp.reset ok", "", 10 * time.Millisecond}},
		{"PUT is idempotent", func(t *testing.T) string { return resets(t, 1) },
			func(m *module.Module) { m.Method = "PUT" }, time.Minute,
			repeated{2, "tcp.reset ok", "", 10 * time.Millisecond}},
		{"Retry-After is waited for", func(t *testing.T) string {
			return faultlab.Handler(t,
				failing("Retry-After", "1")(1))
		}, func(*module.Module) {}, time.Minute,
			repeated{2, "http.rate_limited ok", "", time.Second}},
		{"Retry-After beyond the deadline ends it",
			func(t *testing.T) string { return faultlab.Handler(t, failing("Retry-After", "120")(1)) },
			func(*module.Module) {}, time.Minute,
			repeated{1, "http.rate_limited", result.HTTPRateLimited, 0}},
		{"a backoff beyond the deadline ends it", func(t *testing.T) string { return resets(t, 1) },
			func(m *module.Module) { m.Retry.InitialBackoff, m.Retry.MaxBackoff = time.Hour, time.Hour }, time.Minute,
			repeated{1, "tcp.reset", result.TCPReset, 0}},
		{"the deadline strikes in the first", func(t *testing.T) string { return faultlab.Silent(t) },
			func(*module.Module) {}, 200 * time.Millisecond,
			repeated{1, "http.response.timed_out", result.HTTPResponseTimedOut, 200 * time.Millisecond}},
		{"what is misconfigured stays so", func(*testing.T) string {
			return "http://" + strings.Repeat("a", 64) +
				".test/"
		}, func(*module.Module) {}, time.Minute,
			repeated{1, "probe.config", result.ProbeConfig, 0}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := module.New("retry")
			m.PreferIPv6, m.Retry = false, quick
			row.change(m)
			target, err := prober.ParseTarget(row.url(t))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), row.timeout)
			defer cancel()
			r := prober.New(prober.Options{UserAgent: "test"}).Probe(ctx, target, m)
			got := repeated{Attempts: len(r.Attempts), AtLeast: min(time.Since(began), row.want.AtLeast)}
			var reasons []string
			for _, a := range r.Attempts {
				reason := "ok"
				if a.Failure != nil {
					reason = string(a.Failure.Reason)
				}
				reasons = append(reasons, reason)
			}
			got.Reasons = strings.Join(reasons, " ")
			if r.Failure != nil {
				got.Reason = r.Failure.Reason
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A cancelled scrape ends the wait between two attempts.
func TestRetryIsCancelled(t *testing.T) {
	target, err := prober.ParseTarget(faultlab.ResetAfterRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	m := module.New("retry")
	m.PreferIPv6, m.Retry = false, module.Retry{Attempts: 2, InitialBackoff: time.Hour, MaxBackoff: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel) // during the wait, or during the first attempt: it ends all the same
	if r := prober.New(prober.Options{}).Probe(ctx, target, m); len(r.Attempts) != 1 {
		t.Errorf("%d attempts, want 1", len(r.Attempts))
	}
}

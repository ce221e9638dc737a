package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/history"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// mostPage is how large the page of a thousand targets may be, not compressed.
const mostPage = 200_000

// The failures of the tests below.
var (
	resetFailure   = &result.Failure{Phase: result.Processing, Reason: result.TCPReset, Errno: syscall.ECONNRESET}
	refusedFailure = &result.Failure{Phase: result.Connect, Reason: result.TCPRefused, Errno: syscall.ECONNREFUSED}
)

// thousand are targets with the results of two days, a minute each; fails says which failed.
func thousand(now time.Time, fails func(target, probe int) *result.Failure) []watch.Status {
	const probes = 300
	u := &url.URL{Scheme: "https", Host: "payments.eu-central-1.example.com", Path: "/health"}
	verdict := &cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.Medium,
		Evidence: []string{strings.Repeat("evidence ", 10)}, Next: []string{strings.Repeat("next ", 20)}}
	all := make([]watch.Status, 1000)
	for i := range all {
		line := new(state.Timeline)
		var last *result.Failure
		for j := range probes {
			last = fails(i, j)
			line.Add(state.Tick{Record: ulid.ULID{14: byte(i), 15: byte(j)}, Failure: last,
				Ended:   now.Add(time.Duration(j-probes) * 10 * time.Minute),
				Elapsed: time.Duration(1000+i+7*j) * 100 * time.Microsecond})
		}
		hop := result.Hop{URL: u.String(), Addr: netip.MustParseAddrPort("10.0.0.7:443")}
		r := &result.Result{URL: u.String(), Failure: last, Attempts: []result.Attempt{{Failure: last,
			Hops: []result.Hop{hop}}}}
		all[i] = watch.Status{Timeline: line.At(now), Last: &target.Outcome{Result: r, Reliable: true, Ended: now},
			Target: &config.Target{Name: fmt.Sprintf("payments-eu-central-%04d", i), URL: u, ShownURL: u.String(),
				Module: module.New("http_2xx"), Labels: []config.Label{{Name: "team", Value: fmt.Sprint("team-", i%9)}}}}
		if last != nil {
			all[i].Verdict = verdict
		}
	}
	return all
}

// rendered is the page of targets, whose records are all kept.
func rendered(tb testing.TB, targets []watch.Status, now time.Time) string {
	tb.Helper()
	c := &config.Config{Modules: map[string]*module.Module{"http_2xx": module.New("http_2xx")}}
	e := &Endpoints{Probe: &ProbeHandler{Config: config.NewCurrent(c)}, Life: new(Lifecycle), History: history.New(0)}
	q := &statusQuery{Sort: "state", Group: byCause}
	s := &status{Time: now}
	page := e.statusPage(httptest.NewRequest(http.MethodGet, "/", nil), q, s, s.choose(q, &moment{at: now, targets: targets}))
	page.furnish(func(ulid.ULID) bool { return true }, now)
	var b bytes.Buffer
	if err := statusTemplate.Execute(&b, page); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// A thousand targets are less than 200 KB, however they fail; each has its line, and what fails now says how.
func TestStatusOfAThousandTargets(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		fails func(target, probe int) *result.Failure
		said  int // lines and headings with the sentence of a failure
	}{
		{"none", func(int, int) *result.Failure { return nil }, 0},
		{"all, alike", func(int, int) *result.Failure { return refusedFailure }, 1},
		{"a tenth, in two ways", func(target, _ int) *result.Failure {
			return map[int]*result.Failure{3: resetFailure, 13: refusedFailure}[target%20]
		}, 2},
		{"all recovered", func(_, probe int) *result.Failure {
			if probe < 250 {
				return resetFailure
			}
			return nil
		}, 0},
		{"every other probe", func(target, probe int) *result.Failure {
			if (target+probe)%2 == 0 {
				return resetFailure
			}
			return nil
		}, 1},
	} {
		page := rendered(t, thousand(now, row.fails), now)
		lines := strings.Count(page, "<tr class=") - strings.Count(page, `<tr class="group"`)
		if said := strings.Count(page, "(ECONN"); len(page) >= mostPage || lines != 1000 || said < row.said {
			t.Errorf("%s: %d bytes, %d lines, %d sentences, want less than %d, 1000 and at least %d", row.name, len(page),
				lines, said, mostPage, row.said)
		} else {
			t.Logf("%s: %d bytes, %d sentences", row.name, len(page), said)
		}
	}
}

// BenchmarkStatus renders the page of 1,000 targets, of which a tenth fail in two ways.
func BenchmarkStatus(b *testing.B) {
	now := time.Now()
	targets := thousand(now, func(target, _ int) *result.Failure {
		return map[int]*result.Failure{3: resetFailure, 13: refusedFailure}[target%20]
	})
	n := 0
	reportCPU(b, func() { n = len(rendered(b, targets, now)) })
	b.ReportMetric(float64(n), "page-bytes")
}

package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Whatever fails shows on a target whose last probe succeeded: its state is degraded, and a sentence says what it is.
func TestStatusWarnings(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	addr := netip.MustParseAddr
	ok := result.Attempt{Hops: []result.Hop{{}}}
	for _, row := range []struct {
		name   string
		result result.Result
		idle   []state.IdleAge
		ends   []observe.End
		want   []string
	}{
		{"nothing", result.Result{Addresses: []result.AddressProbe{{Addr: addr("10.0.0.1")}}},
			[]state.IdleAge{{Age: time.Second, Last: &result.IdleResult{}}, {Age: time.Minute}}, nil, nil},
		{"a bad address", result.Result{Addresses: []result.AddressProbe{{Addr: addr("10.0.0.1")},
			{Addr: addr("10.0.0.2"), Failure: refusedFailure}}}, nil, nil,
			[]string{"1 of 2 addresses fail: 10.0.0.2 (connection refused while connecting (ECONNREFUSED))."}},
		{"many bad addresses", result.Result{Addresses: []result.AddressProbe{
			{Addr: addr("10.0.0.1"), Failure: refusedFailure}, {Addr: addr("10.0.0.2"), Failure: refusedFailure}, {Addr: addr("10.0.0.3"), Failure: resetFailure},
			{Addr: addr("10.0.0.4"), Failure: refusedFailure}, {Addr: addr("10.0.0.5")}}}, nil, nil,
			[]string{"4 of 5 addresses fail: 10.0.0.1 (connection refused while connecting (ECONNREFUSED)), " +
				"10.0.0.2 (connection refused while connecting (ECONNREFUSED)), 10.0.0.3 (connection reset by the peer " +
				"while waiting for the response (ECONNRESET)) and 1 more."}},
		{"an attempt that was repeated", result.Result{Attempts: []result.Attempt{{Failure: resetFailure}, ok}}, nil, nil,
			[]string{"The last probe succeeded with attempt 2; the first one failed: connection reset by the peer while " +
				"waiting for the response (ECONNRESET)."}},
		{"an idle connection", result.Result{}, []state.IdleAge{{Age: 5 * time.Minute, Last: &result.IdleResult{
			Failure: resetFailure, Ended: now.Add(-3 * time.Minute)}}}, nil,
			[]string{"A connection that was idle for 5m0s failed 3 min ago: connection reset by the peer while waiting " +
				"for the response (ECONNRESET)."}},
		{"the application's connections", result.Result{}, nil, []observe.End{
			{How: observe.ResetReceived, At: now.Add(-40 * time.Minute)},
			{How: observe.ResetReceived, At: now.Add(-5 * time.Minute)},
			{How: observe.TimedOut, At: now.Add(-time.Hour)}, {How: observe.FINSent, Lost: observe.Unacknowledged}},
			[]string{"The application's connections in the last hour: 2 reset by the peer, 1 given up by the kernel without " +
				"an answer, 1 not acknowledged by the peer; the last one 5 min ago."}},
	} {
		r := row.result
		if r.Attempts == nil {
			r.Attempts = []result.Attempt{ok}
		}
		line := new(state.Timeline)
		line.Add(state.Tick{Ended: now})
		s := watch.Status{Timeline: line.At(now), Last: &target.Outcome{Result: &r, Ended: now, Reliable: true},
			Idle: state.Idle{Ages: row.idle}, Ends: row.ends,
			Target: &config.Target{Name: "payments", URL: new(url.URL), Module: module.New("m")}}
		got := see(&s, now)
		want := degraded
		if row.want == nil {
			want = "ok"
		}
		if diff := cmp.Diff(row.want, got.Warnings); diff != "" || got.State != want {
			t.Errorf("%s: %s, want %s; (-want +got):\n%s", row.name, got.State, want, diff)
		}
		page := rendered(t, []watch.Status{s}, now)
		for _, text := range row.want {
			if !strings.Contains(page, `<p class=w>`+strings.ReplaceAll(text, "'", "&#39;")) {
				t.Errorf("%s: the page does not say %q", row.name, text)
			}
		}
		if green := strings.Contains(page, "<tr class=k>"); green != (row.want == nil) {
			t.Errorf("%s: green is %t", row.name, green)
		}
	}
}

// What was never probed is not green, and the page says what to do.
func TestStatusWithoutProbes(t *testing.T) {
	server := serveText(t, labModule()+"targets: [{name: a, url: 'http://127.0.0.1:1/', module: api}]\n")
	page := ask(t, http.MethodGet, server.URL+"/", nil).Body
	host := strings.TrimPrefix(server.URL, "http://")
	for _, want := range []string{"1 target: <strong>no result</strong>", "No probe yet: nothing scrapes /metrics.",
		"scrape_configs:\n  - job_name: apis\n", "      - targets: [&#34;" + host + "&#34;]\n", "<tr class=u>",
		"<td>no probe yet<td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("before the first scrape the page has no %s", want)
		}
	}
	if strings.Contains(page, `class="good"`) || strings.Contains(page, "<tr class=k>") {
		t.Error("before the first scrape something is green")
	}
	if s := ofStatus(t, server.URL, ""); !s.Unscraped || s.Unprobed != 1 {
		t.Errorf("before the first scrape: unscraped %t, %d unprobed, want true, 1", s.Unscraped, s.Unprobed)
	}
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	if s := ofStatus(t, server.URL, ""); s.Unscraped || s.Unprobed != 0 || s.Failing != 1 {
		t.Errorf("after a scrape: unscraped %t, %d unprobed, %d failing, want false, 0, 1", s.Unscraped, s.Unprobed,
			s.Failing)
	}
}

// The lines for prometheus.yml lead to where the exporter is reached, whatever the Host is.
func TestScrapeLines(t *testing.T) {
	const begin = "scrape_configs:\n  - job_name: apis\n    scrape_interval: 30s\n    scrape_timeout: 10s\n"
	for _, row := range []struct {
		name, host, external, prefix string
		want                         string
	}{
		{"by its address", "10.0.0.7:10104", "", "/", "    static_configs:\n      - targets: [\"10.0.0.7:10104\"]\n"},
		{"under a prefix", "probe", "", "/errno",
			"    metrics_path: \"/errno/metrics\"\n    static_configs:\n      - targets: [\"probe\"]\n"},
		{"by its external URL", "10.0.0.7:10104", "https://probe.example.com/x", "/x", "    scheme: https\n" +
			"    metrics_path: \"/x/metrics\"\n    static_configs:\n      - targets: [\"probe.example.com\"]\n"},
		{"a hostile Host", "a\"]\n- b", "", "", "    static_configs:\n      - targets: [\"a\\\"]\\n- b\"]\n"},
	} {
		e := &Endpoints{RoutePrefix: row.prefix}
		if row.external != "" {
			var err error
			if e.ExternalURL, err = url.Parse(row.external); err != nil {
				t.Fatal(err)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = row.host
		if got := e.scrapeLines(r); got != begin+row.want {
			t.Errorf("%s:\n%s\nwant\n%s", row.name, got, begin+row.want)
		}
	}
}

package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// labModule is the module api, which trusts the lab's certificates and sends traces.
func labModule() string {
	return "modules:\n  other: {prober: http}\n" +
		faultlab.Module("api", 5*time.Second, faultlab.RootsPEM(), "trace: true")
}

func serveText(t *testing.T, text string) *httptest.Server {
	t.Helper()
	c, err := config.Parse([]byte(text), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	return serveConfig(t, c, slog.New(slog.DiscardHandler))
}

// series are the names and labels of the samples that a pattern matches.
func series(body, pattern string) []string {
	expression := regexp.MustCompile(pattern)
	var found []string
	for line := range strings.Lines(body) {
		if name := strings.TrimSpace(line[:strings.LastIndexByte(line, ' ')+1]); !strings.HasPrefix(line, "#") &&
			expression.MatchString(name) {
			found = append(found, name)
		}
	}
	return found
}

// A scrape probes every target, each sample with its label target; what alerts need is there the first time.
func TestScrape(t *testing.T) {
	healthy, broken := faultlab.TLSHandler(t, faultlab.Healthy, "h2", "http/1.1"), faultlab.ResetAfterRequest(t)
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: payments, url: %q, module: api, labels: {team: billing}, min_interval: 1s}
  - {name: "mail \"2\"", url: "%s?key=secret", module: other}
`, strings.Replace(healthy, "https://", "https://user:hunter2@", 1), broken))
	got := ask(t, http.MethodGet, server.URL+"/metrics", http.Header{})
	if got.Status != 200 {
		t.Fatalf("GET /metrics = %d: %s", got.Status, got.Body)
	}
	for _, want := range []string{
		`probe_success{target="payments"} 1`,
		`probe_success{target="mail \"2\""} 0`,
		`probe_reliable{target="payments"} `,
		`probe_result_age_seconds{target="payments"} 0`,
		`probe_failure_info{errno="ECONNRESET",origin="peer",phase="processing",reason="tcp.reset",target="mail \"2\""} 1`,
		`probe_failures_total{errno="ECONNRESET",origin="peer",phase="processing",reason="tcp.reset",target="mail \"2\""} 1`,
		`probe_attempts_total{target="payments"} 1`,
		`probe_attempts_failed_total{target="payments"} 0`,
		`probe_attempts_failed_total{target="mail \"2\""} 1`,
		`probe_connection_resets_total{phase="transfer",target="payments"} 0`,
		`probe_connection_resets_total{phase="processing",target="mail \"2\""} 1`,
		`probe_target_info{team="billing",module="api",url="` + healthy + `",target="payments"} 1`,
		`probe_target_info{module="other",url="` + broken + `?key=<hidden>",target="mail \"2\""} 1`,
		`probe_last_success_timestamp_seconds{target="payments"} `,
		`probe_last_failure_timestamp_seconds{target="mail \"2\""} `,
		`probe_phase_duration_seconds_count{phase="processing",result="success",target="payments"} 1`,
		`probe_phase_duration_seconds_count{phase="connect",result="success",target="mail \"2\""} 1`,
		`errno_exporter_targets 2`,
		`errno_exporter_probes_total 2`,
	} {
		if !strings.Contains(got.Body, "\n"+want) {
			t.Errorf("/metrics has no line that begins with %s", want)
		}
	}
	for _, unwanted := range []string{`probe_result_age_seconds{target="mail`, "hunter2", "secret", `last_failure_timestamp_seconds{target="payments"}`,
		`probe_failure_info{errno="",origin="",phase="",reason="",target="payments"}`} {
		if strings.Contains(got.Body, unwanted) {
			t.Errorf("/metrics contains %s", unwanted)
		}
	}
	if t.Failed() {
		t.Log(got.Body)
	}
	problems, err := promlint.New(strings.NewReader(got.Body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint finds %v, %v", problems, err)
	}
}

// An exemplar's trace_id is the one that the request bore. It leads to the probe's record, as the record's ID does.
func TestExemplar(t *testing.T) {
	var sent atomic.Pointer[string]
	healthy := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Traceparent")
		sent.Store(&header)
	}))
	server := serveText(t, labModule()+fmt.Sprintf("targets:\n  - {name: a, url: %q, module: api}\n", healthy))
	got := ask(t, http.MethodGet, server.URL+"/metrics",
		http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}})
	match := regexp.MustCompile(`probe_phase_duration_seconds_bucket\{phase="processing",result="success",target="a",le="[^"]*"\} 1 # \{trace_id="([0-9a-f]{32})",record="([0-9A-Z]{26})"\}`).FindStringSubmatch(got.Body)
	if match == nil {
		t.Fatalf("no exemplar in\n%s", got.Body)
	}
	if header := *sent.Load(); !regexp.MustCompile(`^00-` + match[1] + `-[0-9a-f]{16}-01$`).MatchString(header) {
		t.Errorf("traceparent %q was sent, want the trace %s", header, match[1])
	}
	if !strings.HasSuffix(got.Body, "\n# EOF\n") || strings.Contains(got.Body, "_created") {
		t.Errorf("the answer does not end with # EOF, or has _created lines:\n%s", got.Body)
	}
	for _, id := range match[1:] {
		record := ask(t, http.MethodGet, server.URL+"/history/"+id, nil)
		if record.Status != 200 || !strings.Contains(record.Body, healthy) {
			t.Errorf("GET /history/%s = %d, want the record:\n%s", id, record.Status, record.Body)
		}
	}
}

// A failure's exemplar leads to its record, also without trace: true.
func TestExemplarOfFailure(t *testing.T) {
	broken := faultlab.ResetAfterRequest(t)
	server := serveText(t, fmt.Sprintf("modules: {api: {prober: http}}\ntargets:\n  - {name: a, url: %q, module: api}\n",
		broken))
	got := ask(t, http.MethodGet, server.URL+"/metrics",
		http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}})
	match := regexp.MustCompile(`(?m)^probe_failures_total\{.*reason="tcp.reset",target="a"\} 1.0 # ` +
		`\{record="([0-9A-Z]{26})"\} 1.0 [0-9.e+]+$`).FindStringSubmatch(got.Body)
	if match == nil || strings.Count(got.Body, " # {") != 1 {
		t.Fatalf("no exemplar, or others, in\n%s", got.Body)
	}
	id := match[1]
	record := ask(t, http.MethodGet, server.URL+"/history/"+id, nil)
	if record.Status != 200 || !strings.Contains(record.Body, broken) {
		t.Errorf("GET /history/%s = %d, want the record:\n%s", id, record.Status, record.Body)
	}
}

// /probe knows configured targets by their names. Another module or hostname makes it a probe like any other.
func TestProbeByName(t *testing.T) {
	healthy := faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1")
	server := serveText(t, labModule()+fmt.Sprintf("targets:\n  - {name: pay ments, url: %q, module: api}\n", healthy))
	for _, row := range []struct {
		name, query  string
		status       int
		lines        []string
		targetInfoed bool
	}{
		{"by name", "target=pay+ments", 200, []string{"probe_attempts_total 1", "probe_success 1"}, true},
		{"and module", "target=pay+ments&module=api", 200, []string{"probe_attempts_total 2", "probe_success 1"}, true},
		{"another module, which does not know the CA", "target=pay+ments&module=other", 200,
			[]string{"probe_attempts_total 1", "probe_success 0"}, false},
		{"another hostname, which the certificate has not", "target=pay+ments&hostname=other.example.com", 200,
			[]string{"probe_attempts_total 1", "probe_success 0"}, false},
		{"by URL", "module=api&target=" + url.QueryEscape(healthy), 200,
			[]string{"probe_attempts_total 1", "probe_success 1"}, false},
		{"unknown module", "target=pay+ments&module=nosuch", 400, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, server.URL+"/probe?"+row.query, http.Header{})
			lines := regexp.MustCompile(`(?m)^(probe_success|probe_attempts_total) .*$`).FindAllString(got.Body, -1)
			if diff := cmp.Diff(row.lines, lines); got.Status != row.status || diff != "" {
				t.Errorf("%d, want %d (-want +got):\n%s", got.Status, row.status, diff)
			}
			if infoed := strings.Contains(got.Body, "probe_target_info{"); infoed != row.targetInfoed ||
				strings.Contains(got.Body, `target="`) {
				t.Errorf("probe_target_info %t, want %t, and no label target:\n%s", infoed, row.targetInfoed, got.Body)
			}
		})
	}
}

// Without a slot there is nothing to say of the target.
func TestProbeNotStarted(t *testing.T) {
	api := module.New("http_2xx")
	server := serveConfig(t, &config.Config{Modules: map[string]*module.Module{"http_2xx": api}},
		slog.New(slog.DiscardHandler))
	got := ask(t, http.MethodGet, server.URL+"/probe?target=127.0.0.1:1",
		http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {"0.6"}})
	want := answer{503, "text/plain; charset=utf-8", "the exporter could not start the probe in time\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Large answers are compressed for those who accept it, small ones for nobody.
func TestCompressed(t *testing.T) {
	closed := faultlab.ClosedPort(t)
	for _, row := range []struct {
		name     string
		targets  int
		accept   string
		encoding string
	}{
		{"large", 100, "gzip", "gzip"},
		{"large, and as Prometheus asks", 100, "gzip;q=0.5, deflate", "gzip"},
		{"large, but not accepted", 100, "identity", ""},
		{"small", 1, "gzip", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var text strings.Builder
			for i := range row.targets {
				fmt.Fprintf(&text, "  - {name: t%d, url: %q, module: api}\n", i, closed)
			}
			server := serveText(t, labModule()+"targets:\n"+text.String())
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept-Encoding", row.accept)
			response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if got := response.Header.Get("Content-Encoding"); got != row.encoding {
				t.Errorf("Content-Encoding %q, want %q", got, row.encoding)
			}
			var body io.Reader = response.Body
			if row.encoding == "gzip" {
				if body, err = gzip.NewReader(response.Body); err != nil {
					t.Fatal(err)
				}
			}
			read, err := io.ReadAll(body)
			if got := len(series(string(read), "^probe_success")); err != nil || got != row.targets {
				t.Errorf("%d targets, %v, want %d", got, err, row.targets)
			}
		})
	}
}

func TestScrapeTimeoutHeader(t *testing.T) {
	server := serveText(t, labModule())
	got := ask(t, http.MethodGet, server.URL+"/metrics", http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {"soon"}})
	if want := `header X-Prometheus-Scrape-Timeout-Seconds "soon" is not a timeout`; got.Status != 400 ||
		!strings.HasPrefix(got.Body, want) {
		t.Errorf("%d %s, want 400 %s", got.Status, got.Body, want)
	}
}

// A target has the histograms of its own key, or else those of --metrics.histograms, by /metrics and by /probe.
func TestHistogramsOfTargets(t *testing.T) {
	healthy := faultlab.Handler(t, faultlab.Healthy)
	c, err := config.Parse(fmt.Appendf(nil, `%stargets:
  - {name: flag, url: %q, module: api}
  - {name: key, url: %q, module: api, histograms: classic}
`, labModule(), healthy, healthy), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	watching := watch.New(watch.Options{Prober: prober.New(prober.Options{}), Remember: 10, Registry: registry})
	watching.Apply(c)
	server := httptest.NewServer((&Endpoints{
		Probe: &ProbeHandler{Watch: watching, Config: config.NewCurrent(c), Histograms: config.NoHistograms},
		Life:  new(Lifecycle), History: history.New(1), Registry: registry,
	}).Handler())
	defer server.Close()
	for _, row := range []struct {
		path string
		want int // phases with a histogram
	}{
		{"/metrics", 5},
		{"/probe?target=flag", 0},
		{"/probe?target=key", 5},
		{"/probe?module=api&target=" + healthy, 0},
	} {
		body := ask(t, http.MethodGet, server.URL+row.path, http.Header{}).Body
		if got := len(series(body, `^probe_phase_duration_seconds_count\{`)); got != row.want {
			t.Errorf("%s has histograms of %d phases, want %d:\n%s", row.path, got, row.want, body)
		}
	}
}

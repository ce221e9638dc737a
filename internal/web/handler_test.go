package web

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// exporter serves the endpoints with two modules: http_2xx and pinned, which has a Host header of its own.
func exporter(t *testing.T, logger *slog.Logger) *httptest.Server {
	t.Helper()
	pinned := module.New("pinned")
	pinned.Host = "pinned.example.com"
	modules := map[string]*module.Module{"http_2xx": module.New("http_2xx"), "pinned": pinned}
	return serveConfig(t, &config.Config{Modules: modules, Policy: config.Policy{MaxConcurrent: 10}}, logger)
}

// serveConfig serves the endpoints by a configuration.
func serveConfig(t *testing.T, c *config.Config, logger *slog.Logger) *httptest.Server {
	t.Helper()
	return serveOptions(t, c, logger, prober.Options{UserAgent: "errno_exporter/test"})
}

// serveOptions serves the endpoints with a prober of its own.
func serveOptions(t *testing.T, c *config.Config, logger *slog.Logger, options prober.Options) *httptest.Server {
	t.Helper()
	return serveEndpoints(t, c, logger, options).server
}

// served are endpoints with what a test needs of them.
type served struct {
	server    *httptest.Server
	endpoints *Endpoints
}

func serveEndpoints(t *testing.T, c *config.Config, logger *slog.Logger, options prober.Options) served {
	t.Helper()
	registry, records := prometheus.NewPedanticRegistry(), history.New(2)
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}})
	watching := watch.New(watch.Options{
		Prober: prober.New(options), Remember: 10, Registry: registry,
		Sinks: []watch.Sink{LogTo(logger, nil), IncidentsIn(incidents), RecordIn(records)}, IDs: counted(),
	})
	watching.Apply(c)
	endpoints := &Endpoints{
		Probe: &ProbeHandler{Watch: watching, Config: config.NewCurrent(c), TimeoutOffset: 500 * time.Millisecond},
		Life:  new(Lifecycle), History: records, Registry: registry, Incidents: incidents,
	}
	server := httptest.NewUnstartedServer(endpoints.Handler())
	server.Config.ConnContext = ConnContext
	server.Start()
	t.Cleanup(server.Close)
	return served{server, endpoints}
}

// api answers 200 with what it was asked for, and 500 at /broken.
func api(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, r.Host+r.RequestURI)
	}))
	t.Cleanup(server.Close)
	return server
}

// answer is what a test compares of a response.
type answer struct {
	Status      int
	ContentType string
	Body        string // or the lines of it that the test looks at
}

func ask(t *testing.T, method, address string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("Content-Type"), string(body)}
}

// The client's mistakes are 400, with one line that says what to do.
func TestProbeHandlerRefuses(t *testing.T) {
	server := exporter(t, slog.New(slog.DiscardHandler))
	const timeout = "X-Prometheus-Scrape-Timeout-Seconds"
	for _, row := range []struct {
		name, query, timeout, want string
	}{
		{"no target", "", "10", `target is missing: add target=URL, such as target=https://api.example.com/health`},
		{"empty target", "target=", "10", `target is missing: add target=URL, such as target=https://api.example.com/health`},
		{"two targets", "target=a&target=b", "10", `target is given 2 times, want it once`},
		{"unknown module", "target=a&module=nosuch", "10", `module "nosuch" is unknown, want one of: http_2xx, pinned`},
		{"no URL", "target=http://%5B::1", "10", `target "http://[::1" is not a URL: missing ']' in host`},
		{"another scheme", "target=ftp://a", "10",
			`target "ftp://a": scheme "ftp" is not supported, want http or https`},
		{"not percent-encoded", "target=%zz", "10",
			`query cannot be decoded: invalid URL escape "%zz", want its values percent-encoded`},
		{"nonsense timeout", "target=a", "soon", `header X-Prometheus-Scrape-Timeout-Seconds "soon" is not a timeout, ` +
			`want seconds as a number larger than 0 such as "10"`},
		{"hostname that is none", "target=a&hostname=a..b", "10",
			`hostname: host "a..b" has an empty label, want a name such as api.example.com`},
		{"hostname that cannot be", "target=a&hostname=b%2Fc", "10",
			`hostname "b/c" cannot be a Host header, want a name such as api.example.com`},
		{"target of 8 KiB and a byte", "target=" + strings.Repeat("a", 8<<10+1), "10",
			`target is 8193 bytes long, want at most 8192`},
		{"target that is longer once it is escaped", "target=a/" + strings.Repeat("%C3%A4", 2000), "10",
			`target is 12009 bytes long, want at most 8192`},
		{"long hostname", "target=a&hostname=" + strings.Repeat("b", 260), "10",
			`hostname is 260 bytes long, want at most 259`},
		{"hostname of 259 bytes", "target=a&hostname=" + strings.Repeat("b", 259), "10", `hostname: host "` +
			strings.Repeat("b", 80) + `…" has 259 bytes as a name in DNS, want at most 253`},
		{"long module", "target=a&module=" + strings.Repeat("b", 1025), "10",
			`module is 1025 bytes long, want the name of a configured one`},
		{"module of 1 KiB", "target=a&module=" + strings.Repeat("b", 1024), "10", `module "` +
			strings.Repeat("b", 1024) + `" is unknown, want one of: http_2xx, pinned`},
		{"hostname against the module's", "target=a&module=pinned&hostname=b", "10",
			`hostname "b" conflicts with the Host header "pinned.example.com" of module "pinned", leave one of them out`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, server.URL+"/probe?"+row.query, http.Header{timeout: {row.timeout}})
			want := answer{http.StatusBadRequest, "text/plain; charset=utf-8", row.want + "\n"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GET /probe?%s (-want +got):\n%s", row.query, diff)
			}
		})
	}
	claims.Prove(t, "parameters `hostname`, `module`", maxHostname, maxModuleName)
}

// A probe is 200 whatever became of the target.
func TestProbeHandlerProbes(t *testing.T) {
	server, target := exporter(t, slog.New(slog.DiscardHandler)), api(t)
	const (
		text        = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
		openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
	)
	encoded := url.QueryEscape(target.URL)
	const facts = `(?m)^(probe_success|probe_failure_info|probe_http_status_code|probe_http_uncompressed_body_length)\b.*$|^# EOF$`
	for _, row := range []struct {
		name, query, accept string
		contentType         string
		lines               []string
	}{
		{"healthy", "target=" + encoded + "/ok&hostname=a", "", text,
			[]string{"probe_http_status_code 200", "probe_http_uncompressed_body_length 4", "probe_success 1"}},
		{"no scheme", "target=" + strings.TrimPrefix(target.URL, "http://") + "/ok&hostname=a", "", text,
			[]string{"probe_http_status_code 200", "probe_http_uncompressed_body_length 4", "probe_success 1"}},
		{"decoded once", "target=" + encoded + "/%3Fx%3D%252B&hostname=a", "", text,
			[]string{"probe_http_status_code 200", "probe_http_uncompressed_body_length 8", "probe_success 1"}},
		{"unhealthy", "target=" + encoded + "/broken&hostname=a", "", text,
			[]string{`probe_failure_info{errno="",origin="",phase="validate",reason="http.error"} 1`,
				"probe_http_status_code 500", "probe_http_uncompressed_body_length 8", "probe_success 0"}},
		{"OpenMetrics", "target=" + encoded + "/ok&hostname=a", "application/openmetrics-text;version=1.0.0",
			openMetrics,
			[]string{"probe_http_status_code 200.0", "probe_http_uncompressed_body_length 4.0", "probe_success 1.0",
				"# EOF"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, server.URL+"/probe?"+row.query, http.Header{"Accept": {row.accept}})
			lines := regexp.MustCompile(facts).FindAllString(got.Body, -1)
			want := answer{http.StatusOK, row.contentType, strings.Join(row.lines, "\n")}
			got.Body = strings.Join(lines, "\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GET /probe?%s (-want +got):\n%s", row.query, diff)
			}
		})
	}
}

// The other endpoints, and the methods they have.
func TestMux(t *testing.T) {
	server, target := exporter(t, slog.New(slog.DiscardHandler)), api(t)
	const plain, html = "text/plain; charset=utf-8", "text/html; charset=utf-8"
	probe := "/probe?target=" + url.QueryEscape(target.URL)
	for _, row := range []struct {
		method, path string
		want         answer // Body: how it begins
	}{
		{"GET", "/-/healthy", answer{200, plain, "errno_exporter is healthy\n"}},
		{"GET", "/", answer{200, html, "<!DOCTYPE html>"}},
		{"GET", "/metrics", answer{200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
			"# HELP errno_exporter_"}},
		{"GET", probe + "&debug=true", answer{200, plain, "OK: " + target.URL + " answered 200 over HTTP/1.1, in "}},
		{"HEAD", probe, answer{200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", ""}},
		{"POST", probe, answer{200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "# HELP probe_"}},
		{"PUT", probe, answer{405, plain, "Method Not Allowed\n"}},
		{"GET", "/nosuch", answer{404, plain, "404 page not found\n"}},
	} {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			got := ask(t, row.method, server.URL+row.path, http.Header{})
			got.Body = got.Body[:min(len(got.Body), len(row.want.Body))]
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", row.method, row.path, diff)
			}
		})
	}
}

// A bug in a probe is that probe's failure, is logged with its stack, and counted; the exporter goes on.
func TestPanicInAProbe(t *testing.T) {
	broken := module.New("http_2xx")
	broken.Proxy = func(*http.Request) (*url.URL, error) { panic("boom") }
	var log bytes.Buffer
	server := serveConfig(t, &config.Config{Modules: map[string]*module.Module{"http_2xx": broken},
		Policy: config.Policy{MaxConcurrent: 1}}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 {
		got := ask(t, http.MethodGet, server.URL+"/probe?target=http://127.0.0.1:1", nil)
		if want := `probe_failure_info{errno="",origin="self",phase="resolve",reason="unknown"} 1`; got.Status != http.StatusOK || !strings.Contains(got.Body, want) {
			t.Errorf("/probe: %d, no %s in\n%s", got.Status, want, got.Body)
		}
	}
	if body := ask(t, http.MethodGet, server.URL+"/metrics", nil).Body; !strings.Contains(body,
		"\nerrno_exporter_probe_panics_total 2\n") {
		t.Errorf("two panics were not counted:\n%s", body)
	}
	server.Close() // no probe writes to the log any more
	if text := log.String(); strings.Count(text, "panic=boom") != 2 || !strings.Contains(text, "handler_test.go") {
		t.Errorf("the log has no stacks:\n%s", text)
	}
}

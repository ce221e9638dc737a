package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/watch"
)

// TestRecords: three probes are made with room for two records; rows ask for them.
func TestRecords(t *testing.T) {
	server, target := exporter(t, slog.New(slog.DiscardHandler)), api(t)
	for _, path := range []string{"/first", "/broken", "/last?token=s3cret"} {
		ask(t, http.MethodGet, server.URL+"/probe?target="+url.QueryEscape(target.URL+path), nil)
	}
	at := func(path string) string { return url.QueryEscape(target.URL + path) }
	for _, row := range []struct {
		name, path string
		status     int
		has        string
	}{
		{"by id", "/history/" + id(3) + "?format=text", 200, "OK: " + target.URL + "/last?token=<hidden> answered 200"},
		{"the page of a success", "/history/" + id(3), 200, `<span class="state">OK</span></h2>
<p><span class="url">` + target.URL +
			"/last?token=&lt;hidden&gt;</span>"},
		{"the page of a failure", "/history/" + id(2), 200, `<span class="state">FAILED</span> unexpected HTTP status: 500 Internal Server Error, wanted 2xx</h2>`},
		{"its waterfall", "/history/" + id(2), 200, `<rect class="p-processing" x="`},
		{"the command that repeats it", "/history/" + id(2), 200,
			"<pre>curl -sv -o /dev/null --max-time 120 --http1.1 -H &#39;User-Agent: errno_exporter/test&#39; -H Accept: " +
				target.URL + "/broken</pre>"},
		{"the whole record", "/history/" + id(2), 200, "FAILED: " + target.URL + "/broken: unexpected HTTP status"},
		{"logs by id", "/logs?id=" + id(2), 200, "FAILED: " + target.URL + "/broken: unexpected HTTP status"},
		{"logs by target", "/logs?target=" + at("/broken"), 200, "reason=http.error"},
		{"logs by target and module", "/logs?target=" + at("/broken") + "&module=http_2xx", 200, "reason=http.error"},
		{"logs of another module", "/logs?target=" + at("/broken") + "&module=pinned", 404, "no probe of target"},
		{"gone", "/history/" + id(1), 404, "probe " + id(1) + " is not kept, or no longer"},
		{"never made", "/logs?id=" + id(9), 404, "probe " + id(9) + " is not kept, or no longer"},
		{"no ID", "/history/x", 400, `id "x" is not the ID of a probe`},
		{"no ID, but as long as one", "/history/0000000000000000000000000U", 400, `id "0000000000000000000000000U" is not the ID`},
		{"in lower case", "/history/" + strings.ToLower(id(2)), 200, "record " + id(2)},
		{"logs of nothing", "/logs", 400, "add id=ID or target=URL"},
		{"list", "/history", 200, `<a href="history/` + id(3) + `">` + id(3) + `</a>`},
		{"list masks", "/history", 200, "/last?token=&lt;hidden&gt;"},
		{"list says why", "/history", 200, "<strong>unexpected HTTP status: 500 Internal Server Error, wanted 2xx</strong>"},
		{"configuration", "/config", 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, server.URL+row.path, nil)
			if got.Status != row.status || !strings.Contains(got.Body, row.has) ||
				strings.Contains(got.Body, "s3cret") {
				t.Errorf("GET %s = %d, want %d, with %q and without secrets:\n%s", row.path, got.Status, row.status,
					row.has, got.Body)
			}
		})
	}
}

func TestRoutePrefix(t *testing.T) {
	for _, row := range []struct {
		prefix, path string
		status       int
		location     string
	}{
		{"/", "/-/healthy", 200, ""},
		{"/", "/errno/-/healthy", 404, ""},
		{"/errno", "/errno/-/healthy", 200, ""},
		{"/errno", "/errno/", 200, ""},
		{"/errno", "/errno", 307, "/errno/"},
		{"/errno", "/", 302, "/errno/"},
		{"/errno", "/-/healthy", 404, ""},
		{"/a/b", "/a/b/config", 200, ""},
		{"/errno", "/errno/incidents/latest?target=a", 302, id(2)}, // relative: what is before it a proxy may change
	} {
		endpoints := &Endpoints{
			Probe: &ProbeHandler{Watch: watch.New(watch.Options{Registry: prometheus.NewRegistry()}),
				Config: config.NewCurrent(config.Default())},
			Life: new(Lifecycle), History: history.New(1), Registry: prometheus.NewPedanticRegistry(),
			RoutePrefix: row.prefix, Incidents: incident.NewLog(incident.Options{}),
		}
		endpoints.Incidents.Fill(remembered())
		answer := httptest.NewRecorder()
		endpoints.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, row.path, nil))
		if answer.Code != row.status || answer.Header().Get("Location") != row.location {
			t.Errorf("prefix %s: GET %s = %d to %q, want %d to %q", row.prefix, row.path, answer.Code,
				answer.Header().Get("Location"), row.status, row.location)
		}
	}
}

func TestPprofIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		on     bool
		status int
	}{{true, 200}, {false, 404}} {
		endpoints := &Endpoints{
			Probe: &ProbeHandler{Config: config.NewCurrent(config.Default())},
			Life:  new(Lifecycle), History: history.New(1), Registry: prometheus.NewPedanticRegistry(), Pprof: row.on,
		}
		answer := httptest.NewRecorder()
		endpoints.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/pprof/cmdline", nil))
		if answer.Code != row.status {
			t.Errorf("pprof %v: %d, want %d", row.on, answer.Code, row.status)
		}
	}
}

package web

import (
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
	"errno_exporter/internal/history"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
)

// asBlackbox serves a configuration with --web.blackbox-compatible-errors. It returns the history, too.
func asBlackbox(t *testing.T, text string) (*httptest.Server, *history.History) {
	t.Helper()
	c, err := config.Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	registry, records := prometheus.NewPedanticRegistry(), history.New(10)
	watching := watch.New(watch.Options{Prober: prober.New(prober.Options{}), Remember: 10, Registry: registry,
		Sinks: []watch.Sink{RecordIn(records)}, IDs: counted()})
	watching.Apply(c)
	server := httptest.NewServer((&Endpoints{
		Probe: &ProbeHandler{Watch: watching, Config: config.NewCurrent(c), TimeoutOffset: 500 * time.Millisecond,
			BlackboxErrors: true},
		Life: new(Lifecycle), History: records, Registry: registry,
	}).Handler())
	t.Cleanup(server.Close)
	return server, records
}

// With --web.blackbox-compatible-errors a target that cannot be probed is a probe that failed, and leaves nothing
// behind.
func TestBlackboxErrors(t *testing.T) {
	const modules = "modules: {http_2xx: {prober: http, timeout: 3s}}\n"
	open, opened := asBlackbox(t, modules)
	closed, _ := asBlackbox(t, modules+"probe_policy: {targets: configured}\n")
	const config, denied = `phase="resolve",reason="probe.config"`, `reason="local.denied"`
	for _, row := range []struct {
		name, query string
		server      *httptest.Server
		status      int
		has         string
	}{
		{"another scheme", "target=ftp://x/", open, 200, config},
		{"no host", "target=:18123", open, 200, config},
		{"nothing but a scheme", "target=http://", open, 200, config},
		{"no such port", "target=http://a:99999/", open, 200, config},
		{"broken brackets", "target=http://%5B::1", open, 200, config},
		{"a space in a host", "target=http://a%20b/", open, 200, config},
		{"a control character", "target=http://a/%0d%0a", open, 200, config},
		{"too long", "target=" + strings.Repeat("a", 8<<10+1), open, 200, config},
		{"a denied address", "target=http://169.254.169.254/", open, 200, `phase="connect",` + denied},
		{"not a configured target", "target=http://127.0.0.1:1/", closed, 200, `phase="resolve",` + denied},
		{"not a configured target, and none", "target=ftp://x/", closed, 200, `phase="resolve",` + denied},
		{"no target", "target=", open, 400, "target is missing"},
		{"unknown module", "target=ftp://x/&module=nosuch", open, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, row.server.URL+"/probe?"+row.query,
				http.Header{scrapeTimeoutHeader: {"10"}})
			if got.Status != row.status || !strings.Contains(got.Body, row.has) {
				t.Errorf("%d, want %d with %s:\n%s", got.Status, row.status, row.has, got.Body)
			}
			if row.status != http.StatusOK {
				return
			}
			for _, line := range []string{"probe_success 0", "probe_timeout_seconds 3", "probe_reliable 1", "probe_ip_protocol 0",
				"probe_http_status_code 0"} {
				if !strings.Contains(got.Body, "\n"+line+"\n") {
					t.Errorf("no %q in\n%s", line, got.Body)
				}
			}
			if text := ask(t, http.MethodGet, row.server.URL+"/probe?debug=true&"+row.query, nil); text.Status != 200 ||
				!strings.HasPrefix(text.Body, "FAILED: ") {
				t.Errorf("debug=true: %d\n%s", text.Status, text.Body)
			}
		})
	}
	if kept := opened.Records(); len(kept) != 0 {
		t.Errorf("%d records are kept of targets that were not probed", len(kept))
	}
}

// A target that is encoded twice is probed, and one that is not is decoded once.
func TestTargetEncodedTwice(t *testing.T) {
	server, target := exporter(t, slog.New(slog.DiscardHandler)), api(t)
	host := strings.TrimPrefix(target.URL, "http://")
	twice := func(s string) string { return url.QueryEscape(url.QueryEscape(s)) }
	for _, row := range []struct{ name, target, want string }{
		{"the port's colon", "http://" + strings.Replace(host, ":", "%253A", 1) + "/a", "/a"},
		{"all of it", twice(target.URL + "/a?b=c%2Fd"), "/a?b=c%2Fd"},
		{"all of it, without a scheme", twice(host + "/a?b=c"), "/a?b=c"},
		{"the path alone, which is what was meant", url.QueryEscape(target.URL + "/a%252Fb"), "/a%252Fb"},
		{"not at all", target.URL + "/a", "/a"},
	} {
		got := ask(t, http.MethodPost, server.URL+"/probe?debug=true&target="+row.target, nil)
		if want := "OK: " + target.URL + row.want + " answered 200"; !strings.HasPrefix(got.Body, want) {
			t.Errorf("%s: target=%s\n%.200s\nwant %s", row.name, row.target, got.Body, want)
		}
	}
}

// The configuration of a module ends the record, its secrets masked; and a configured target's name is as good as its
// URL for the logs.
func TestDebugOfATarget(t *testing.T) {
	target := api(t)
	server, _ := asBlackbox(t, `modules:
  base: &base {prober: http, timeout: 5s, http: &http {preferred_ip_protocol: ip4, basic_auth: {username: u, password: s3cret}}}
  api: {prober: http, http: {<<: *http, headers: {Authorization: s3cret, Accept: text/html}}}
  same: *base
targets:
  - {name: orders, url: '`+target.URL+`/orders', module: api}
`)
	section := regexp.MustCompile(`(?s)\nModule configuration:\n(.*)$`)
	for _, row := range []struct{ query, want string }{
		{"target=orders", `http:
    basic_auth:
        password: <hidden>
        username: u
    headers:
        Accept: text/html
        Authorization: <hidden>
    preferred_ip_protocol: ip4
prober: http
`},
		{"module=same&target=" + target.URL, `http:
    basic_auth:
        password: <hidden>
        username: u
    preferred_ip_protocol: ip4
prober: http
timeout: 5s
`},
	} {
		got := section.FindStringSubmatch(ask(t, http.MethodGet, server.URL+"/probe?debug=true&"+row.query, nil).Body)
		if got == nil {
			t.Errorf("%s: no configuration of the module", row.query)
		} else if diff := cmp.Diff(row.want, got[1]); diff != "" {
			t.Errorf("%s: the module's configuration (-want +got):\n%s", row.query, diff)
		}
	}
	for _, row := range []struct {
		query  string
		status int
		has    string
	}{
		{"target=orders", 200, "OK: " + target.URL + "/orders"},
		{"target=orders&module=api", 200, "OK: " + target.URL + "/orders"},
		{"target=orders&module=same", 404, "no probe of target"},
		{"id=&target=orders", 200, "OK: " + target.URL + "/orders"},
		{"id=&target=" + url.QueryEscape(target.URL), 200, "OK: " + target.URL},
		{"id=" + id(1) + "&target=orders", 200, "OK: " + target.URL + "/orders"},
		{"target=none", 404, "no probe of target"},
	} {
		if got := ask(t, http.MethodGet, server.URL+"/logs?"+row.query, nil); got.Status != row.status ||
			!strings.HasPrefix(got.Body, row.has) {
			t.Errorf("/logs?%s: %d %.80s, want %d %s", row.query, got.Status, got.Body, row.status, row.has)
		}
	}
}

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"errno_exporter/internal/faultlab"
)

// counting is a server before a server, which counts what is asked of paths that probe.
func counting(t *testing.T, handler http.Handler) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/probe" || r.URL.Path == "/metrics" {
			asked.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

// However exporters and targets lead to each other, one request to probe stays a handful, and where it ends is said.
func TestLoops(t *testing.T) {
	var first, second string // the exporters' URLs
	target := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self := "http://" + r.Host + r.URL.RequestURI()
		at := map[string]string{"/first": first, "/second": second, "/both": first}[r.URL.Path]
		if r.URL.Path == "/both" && strings.Count(r.Header.Get("X-Errno-Exporter-Probe"), ",") == 0 {
			at = second // the first exporter is sent to the second one, and that to the first
		}
		http.Redirect(w, r, at+"/probe?module=api&target="+url.QueryEscape(self), http.StatusFound)
	}))
	text := "modules: {api: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n"
	a, b := serveText(t, text), serveText(t, text)
	one, askedOne := counting(t, a.Config.Handler)
	two, askedTwo := counting(t, b.Config.Handler)
	first, second = one.URL, two.URL
	chain := first + "/-/healthy"
	for range 6 {
		chain = second + "/probe?module=api&target=" +
			url.QueryEscape(first+"/probe?module=api&target="+url.QueryEscape(chain))
	}
	for _, row := range []struct {
		name, target string
		status       string // of the last response that the first exporter's probe had
		most         int64  // requests to probe, of both exporters
	}{
		{"a target redirects to the exporter", target + "first", "508", 2},
		{"a target redirects to another exporter, and that to itself", target + "second", "200", 3},
		{"a target redirects from exporter to exporter", target + "both", "200", 4},
		{"its own /probe", "%s/probe?target=http://127.0.0.1:1", "508", 2},
		{"its own /metrics", "%s/metrics", "508", 2},
		{"its own health", "%s/-/healthy", "200", 1},
		{"its own status page", "%s/", "200", 1},
		{"another exporter's /metrics", second + "/metrics", "200", 2},
		{"another exporter's /probe", second + "/probe?module=api&target=" + url.QueryEscape(second+"/-/healthy"),
			"200", 2},
		{"a chain of exporters", chain, "200", 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			askedOne.Store(0)
			askedTwo.Store(0)
			target := strings.Replace(row.target, "%s", first, 1)
			got := ask(t, http.MethodGet, first+"/probe?module=api&target="+url.QueryEscape(target), http.Header{})
			status := regexp.MustCompile(`(?m)^probe_http_status_code (\d+)$`).FindStringSubmatch(got.Body)
			if got.Status != http.StatusOK || status == nil || status[1] != row.status {
				t.Errorf("%d, probe_http_status_code %q, want 200, %s", got.Status, status, row.status)
			}
			if n := askedOne.Load() + askedTwo.Load(); n > row.most {
				t.Errorf("%d requests to probe, want at most %d", n, row.most)
			}
		})
	}
}

// Two exporters that have each other's /metrics for targets: a scrape of one ends, and is no storm.
func TestLoopOfScrapes(t *testing.T) {
	var handlers [2]atomic.Pointer[http.Handler]
	var asked [2]*atomic.Int64
	var servers [2]*httptest.Server
	for i := range handlers {
		servers[i], asked[i] = counting(t, http.HandlerFunc(func(w http.ResponseWriter,
			r *http.Request) {
			(*handlers[i].Load()).ServeHTTP(w, r)
		}))
	}
	for i := range handlers {
		exporter := serveText(t, "modules: {api: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n"+
			fmt.Sprintf("targets: [{name: other, module: api, url: %q}]\n", servers[1-i].URL+"/metrics"))
		handlers[i].Store(&exporter.Config.Handler)
	}
	got := ask(t, http.MethodGet, servers[0].URL+"/metrics", http.Header{scrapeTimeoutHeader: {"10"}})
	if !strings.Contains(got.Body, "\nprobe_success{target=\"other\"} 1\n") {
		t.Errorf("no success in\n%s", got.Body)
	}
	if n := asked[0].Load() + asked[1].Load(); n > 4 {
		t.Errorf("%d scrapes, want at most 4", n)
	}
}

// The header may be anything.
func TestNestedHeader(t *testing.T) {
	server := serveText(t, "modules: {http_2xx: {prober: http}}\n")
	const tooMany = "this request is made by a probe of an exporter that is probed itself, through 3 exporters, want " +
		"fewer than 3: " +
		"exporters probe each other's /probe or /metrics; correct their targets\n"
	for _, row := range []struct {
		name   string
		values []string
		status int
		body   string
	}{
		{"empty", []string{""}, 200, ""},
		{"one", []string{"0123456789abcdef"}, 200, ""},
		{"two", []string{"a, b"}, 200, ""},
		{"three", []string{"a, b, c"}, 508, tooMany},
		{"three on lines of their own", []string{"a", "b", "c"}, 508, tooMany},
		{"separators alone", []string{", ,,\t,"}, 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, http.MethodGet, server.URL+"/metrics", http.Header{"X-Errno-Exporter-Probe": row.values})
			if got.Status != row.status || !strings.HasPrefix(got.Body, row.body) {
				t.Errorf("%d %q, want %d %q", got.Status, got.Body[:min(len(got.Body), 200)], row.status, row.body)
			}
		})
	}
}

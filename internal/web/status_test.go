package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"errno_exporter/internal/faultlab"
)

// ofStatus is the JSON twin of the status page.
func ofStatus(t *testing.T, address, query string) status {
	t.Helper()
	var s status
	got := ask(t, http.MethodGet, address+"/?format=json"+query, nil)
	if err := json.Unmarshal([]byte(got.Body), &s); err != nil || got.ContentType != "application/json" {
		t.Fatalf("%s: %v in %s", got.ContentType, err, got.Body)
	}
	return s
}

// The page and its twin give the same facts: what fails and why, since when, how often.
func TestStatus(t *testing.T) {
	healthy, broken := faultlab.Handler(t, faultlab.Healthy), faultlab.ResetAfterRequest(t)
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: mail, url: "%s?token=hunter2", module: api, labels: {team: office}}
  - {name: payments, url: %q, module: other, labels: {team: billing}}
`, healthy, broken))
	if s := ofStatus(t, server.URL, ""); s.Targets != 2 || s.Failing != 0 || s.Shown[0].State != "unknown" ||
		s.Shown[0].Since != nil {
		t.Errorf("before the first scrape: %+v", s)
	}
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	s := ofStatus(t, server.URL, "")
	if s.Targets != 2 || s.Failing != 1 || len(s.Shown) != 2 || s.Shown[0].Name != "payments" {
		t.Fatalf("%d targets, %d failing, first %s: want 2, 1, the failing one first", s.Targets, s.Failing,
			s.Shown[0].Name)
	}
	bad, good := s.Shown[0], s.Shown[1]
	if bad.State != "failing" || bad.Failure == nil ||
		bad.Failure.Sentence != "connection reset by the peer while waiting for the response (ECONNRESET)" ||
		bad.Failure.Errno != "ECONNRESET" || bad.Failure.Record.IsZero() || time.Since(*bad.Since) > time.Minute {
		t.Errorf("payments: %+v, failure %+v", bad, bad.Failure)
	}
	if good.State != "ok" || good.Failure != nil || good.All != (shareStatus{2, 2}) || bad.All != (shareStatus{0, 2}) ||
		bad.Hour != (shareStatus{0, 2}) || len(good.Ticks) != 2 {
		t.Errorf("mail: %+v; payments: %+v", good, bad)
	}
	page := ask(t, http.MethodGet, server.URL+"/", nil)
	for _, want := range []string{"2 targets: <strong class=\"bad\">1 failing</strong>",
		"<h2>Failing: 1 target</h2>", "<h2>OK: 1 target</h2>",
		`<tr class=f><th><a href="targets/payments">payments</a>`, "<strong>" + bad.Failure.Sentence + "</strong>",
		fmt.Sprintf(`<a href="history/%s" aria-label="record %s">record</a>`, bad.Failure.Record, bad.Failure.Record),
		"<td>0/2<svg", "<td>2/2<svg", "<td>0%<td><td><td><td>", "<td>100%<td><td><td>", " ms",
		"team=billing", "token=&lt;hidden&gt;"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page.Body, "hunter2") {
		t.Error("the page shows a secret")
	}
}

func TestStatusFilters(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: mail, url: %q, module: api, labels: {team: office}}
  - {name: payments, url: %q, module: other, labels: {team: billing}}
`, faultlab.Handler(t, faultlab.Healthy), faultlab.ResetAfterRequest(t)))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	for _, row := range []struct {
		query string
		want  []string
	}{
		{"", []string{"payments", "mail"}}, {"&q=MAIL", []string{"mail"}}, {"&q=team=billing", []string{"payments"}},
		{"&q=127.0.0.1", []string{"payments", "mail"}},
		{"&q=nothing", nil}, {"&failing=1", []string{"payments"}}, {"&failing=1&q=mail", nil},
		{"&failing=", []string{"payments", "mail"}},
		{"&state=failing", []string{"payments"}}, {"&state=ok", []string{"mail"}}, {"&state=unknown", nil},
		{"&state=degraded", nil}, {"&state=&sort=&group=&at=&q=", []string{"payments", "mail"}},
		{"&sort=name", []string{"mail", "payments"}}, {"&sort=availability", []string{"payments", "mail"}},
		{"&sort=p95", []string{"mail", "payments"}}, {"&sort=state&group=team", []string{"payments", "mail"}},
	} {
		var got []string
		for _, shown := range ofStatus(t, server.URL, row.query).Shown {
			got = append(got, shown.Name)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.query, diff)
		}
	}
}

// Names and labels that contain HTML stay text, and every address on the page leads to the exporter.
func TestStatusIsText(t *testing.T) {
	server := serveText(t, labModule()+`targets:
  - {name: '<script>alert(1)</script>', url: "http://127.0.0.1:1/\"><img src=x onerror=alert(1)>", module: api, labels: {team: "</p><b onclick='x'>"}}
`)
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	got := ask(t, http.MethodGet, server.URL+"/?q="+"%3Cscript", nil)
	root, err := html.Parse(strings.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" {
			scripts++
		}
		if n.Data == "img" || n.Data == "b" || n.Data == "style" {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") &&
				(strings.Contains(a.Val, "//") || strings.HasPrefix(a.Val, "/")) {
				t.Errorf("<%s %s=%q> leads away from the exporter, or from its prefix", n.Data, a.Key, a.Val)
			}
		}
	}
	if scripts != 2 || !strings.Contains(got.Body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Errorf("%d scripts, want our own only:\n%s", scripts, got.Body)
	}
}

// The page's policy lets nothing in that is not the exporter's own.
func TestStatusPolicy(t *testing.T) {
	server := serveText(t, labModule())
	response, err := http.Get(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if csp := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; ") ||
		strings.Contains(csp, "unsafe") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("policy %q, %v", csp, response.Header)
	}
	for _, path := range []string{"/static/style.css", "/static/status.css", "/static/status.js",
		"/static/refresh.js"} {
		if got := ask(t, http.MethodGet, server.URL+path, nil); got.Status != 200 ||
			strings.Contains(got.Body, "url(") || strings.Contains(got.Body, "http:") ||
			strings.Contains(got.Body, "https:") {
			t.Errorf("GET %s: %d, or it names another host", path, got.Status)
		}
	}
	if got := ask(t, http.MethodGet, server.URL+"/static/", nil); got.Status != 404 {
		t.Errorf("GET /static/: %d, want 404: there is nothing to browse", got.Status)
	}
}

// A failed reload stands on top.
func TestStatusTellsOfAFailedReload(t *testing.T) {
	l := &Lifecycle{Enabled: true, Reload: func() error { return fmt.Errorf("exporter.yml:3: <bad>") }}
	_ = l.Again() // fails, as it shall
	if l.Failed() == nil {
		t.Error("Failed() is nil after a reload that failed")
	}
	l.Reload = func() error { return nil }
	if err := l.Again(); err != nil || l.Failed() != nil {
		t.Errorf("Failed() = %v after a good reload", l.Failed())
	}
}

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"errno_exporter/internal/faultlab"
)

// A target's page gives its state in words, the facts of its last probe, and its results; a name may be any.
func TestTargetPage(t *testing.T) {
	healthy, broken := faultlab.TLSHandler(t, faultlab.Healthy, "h2", "http/1.1"), faultlab.ResetAfterRequest(t)
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: "mail/2 %%2F", url: "%s?token=hunter2", module: api, labels: {team: office}}
  - {name: payments, url: %q, module: other}
  - {name: "...", url: %q, module: other}
`, healthy, broken, faultlab.Handler(t, faultlab.Healthy)))
	mail := "/" + targetPath("mail/2 %2F")
	if got := ask(t, http.MethodGet, server.URL+mail, nil); got.Status != 200 ||
		!strings.Contains(got.Body, "No probe has ended yet: nothing scrapes /metrics") {
		t.Errorf("before the first scrape: %d\n%s", got.Status, got.Body)
	}
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	seconds := regexp.MustCompile(`for [0-9]+ seconds`)
	for _, row := range []struct {
		path   string
		status int
		has    []string
	}{
		{mail, 200, []string{"<title>mail/2 %2F: ok – errno_exporter</title>", "<h1>mail/2 %2F</h1>",
			"Succeeding for 0 seconds; the last probe took ", "token=&lt;hidden&gt;", "team=office",
			"<dt>version</dt><dd>TLS 1.3</dd>", "<dt>ALPN</dt><dd>h2</dd>", "<dt>chain</dt><dd>verified</dd>",
			"<dt>response</dt><dd>HTTP/2.0 200 OK</dd>", "<dt>resolved</dt><dd>127.0.0.1</dd>",
			`href="../static/style.css"`, `aria-label="The last 1 results`, `<rect class="p-tls" x="885"`,
			`action="../targets/mail%2F2%20%252F"`, `history?target=mail%2f2%20%252F"`}},
		{"/targets/payments", 200, []string{"<title>payments: connection reset by the peer while waiting for the " +
			"response (ECONNRESET) – errno_exporter</title>", "Failing for 0 seconds: connection reset by the peer",
			`<a href="../docs/failures#tcp.reset"><code>tcp.reset</code></a> <code>ECONNRESET</code> by <code>peer</code>`, `<rect class="bad" x="885"`, `aria-label="1 incidents since `,
			`<a href="../incidents/0000`,
			", party ", "<dd>0.0 % <span class=\"faint\">of 1</span></dd>"}},
		{"/targets/%2E%2E%2E", 200, []string{"<h1>...</h1>", `action="../targets/%2E%2E%2E"`}},
		{"/targets/mail/2%20%252F", 200, []string{"<h1>mail/2 %2F</h1>", `href="../../static/style.css"`}},
		{"/targets/payments?format=text", 200, []string{"payments: Failing for 0 seconds: connection reset by the peer",
			"\nCause: ", "\nAvailability: 1 h 0.0 %, 24 h 0.0 %, 30 d 0.0 %, since start 0.0 %\n",
			"\nAddresses and connection\n  dialled        127.0.0.1:", "\nIncidents\n  0000", "  connection reset by the peer while waiting for the response (ECONNRESET): since ",
			"\nRecords\n"}},
		{"/targets/none", 404, []string{`no target "none" is configured, see / for those that are`}},
		{"/targets/", 404, []string{`no target "" is configured`}},
		{"/targets/payments?x=1", 400, []string{`parameter "x" is unknown, want format`}},
		{"/targets/payments?format=xml", 400, []string{`format "xml" is unknown, want html, json or text`}},
	} {
		got := ask(t, http.MethodGet, server.URL+row.path, nil)
		if got.Status != row.status || strings.Contains(got.Body, "hunter2") {
			t.Errorf("GET %s = %d, want %d, without secrets:\n%s", row.path, got.Status, row.status, got.Body)
		}
		body := seconds.ReplaceAllString(got.Body, "for 0 seconds") // what a slow machine makes of it
		for _, has := range row.has {
			if !strings.Contains(body, has) {
				t.Errorf("GET %s has no %s:\n%s", row.path, has, got.Body)
			}
		}
	}
}

// The JSON has the same facts, and its version.
func TestTargetJSON(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: payments, url: %q, module: other}]\n",
		faultlab.ResetAfterRequest(t)))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	var p targetPage
	got := ask(t, http.MethodGet, server.URL+"/targets/payments?format=json", nil)
	if err := json.Unmarshal([]byte(got.Body), &p); err != nil || got.ContentType != "application/json" {
		t.Fatalf("%v in %s", err, got.Body)
	}
	if p.Schema != targetSchema || p.Name != "payments" || p.State != "failing" || p.Since == nil || p.Cause == nil ||
		p.Failure == nil || p.Failure.Errno != "ECONNRESET" || p.Availability.All != (shareStatus{0, 1}) ||
		p.Last == nil || p.Last.Address == "" || len(p.Last.Phases) == 0 || len(p.Results) != 1 ||
		p.Results[0].Success || p.Results[0].Record != p.Failure.Record || len(p.Records) != 1 {
		t.Errorf("%+v\n%s", p, got.Body)
	}
}

// Whatever a name, a label, an answer's status or a certificate says stays text.
func TestTargetPageIsText(t *testing.T) {
	const attack = `<script>alert(1)</script><img src=x onerror='a' \">`
	broken := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", `/<img src=x>`)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: \"%s\", url: %q, module: api, labels: "+
		"{note: \"%s\"}}]\n", attack, broken, attack))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	name := strings.ReplaceAll(attack, `\"`, `"`)
	got := ask(t, http.MethodGet, server.URL+"/"+targetPath(name), nil)
	if got.Status != 200 || !strings.Contains(got.Body, "&lt;script&gt;alert(1)") {
		t.Errorf("%d\n%s", got.Status, got.Body)
	}
	checkPage(t, got.Body)
	if got := ask(t, http.MethodGet, server.URL+"/targets/%1b%5B31m%E2%80%AE", nil); got.Status != 404 ||
		strings.ContainsAny(got.Body, "\x1b\u202e") {
		t.Errorf("an unknown name with control characters: %d %q", got.Status, got.Body)
	}
}

// checkPage checks that a page is the exporter's alone: no element or attribute of others, no link away from it, and
// each ID once.
func checkPage(t *testing.T, body string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids, headings := map[string]bool{}, 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			if n.FirstChild != nil || len(n.Attr) != 2 || !strings.HasSuffix(n.Attr[0].Val, "static/status.js") {
				t.Errorf("a script that is not the exporter's: %v", n.Attr)
			}
		case "img", "b":
			t.Errorf("the page has a <%s>", n.Data)
		case "h1":
			headings++
		}
		for _, a := range n.Attr {
			away, bad := url.Parse(a.Val)
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "style":
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("the ID %s is there twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && a.Val != "data:," &&
				(bad != nil || away.IsAbs() || away.Host != "" || strings.HasPrefix(a.Val, "/")):
				t.Errorf("<%s %s=%q> leads away from the exporter, or from its prefix", n.Data, a.Key, a.Val)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%d h1, want 1", headings)
	}
}

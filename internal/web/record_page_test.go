package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"errno_exporter/internal/faultlab"
)

// A failure's page names the target and the failure, and shows it beside the last success; whatever a server says in
// its headers stays text.
func TestRecordPage(t *testing.T) {
	const attack = `</td><script>alert(1)</script>`
	var failing atomic.Bool
	url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			w.Header().Set("Server", attack)
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: \"<b>/1\", url: %q, module: api}]\n", url))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	failing.Store(true)
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	for _, row := range []struct {
		path   string
		status int
		has    []string
	}{
		{id(2), 200, []string{"<title>&lt;b&gt;/1: unexpected HTTP status: 502 Bad Gateway, wanted 2xx – record – " +
			"errno_exporter</title>", "<h1>&lt;b&gt;/1</h1>", `<a href="../targets/%3Cb%3E%2F1">this target</a>`,
			`<a href="../incidents/` + id(2) + `">its incident</a>`,
			`<a href="` + id(1) + `">That record</a> is from 0 seconds before`,
			`<th scope="row">response</th><td>HTTP/1.1 200 OK</td><td>HTTP/1.1 502 Bad Gateway</td><td>changed</td>`,
			`<th scope="row">header Server</th><td>–</td><td>&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;</td>`,
			"-H &#39;Traceparent: 00-"}},
		{id(2) + "?format=json", 200, []string{`"compared_with_last_success":{"id":"` + id(1) + `","facts":[{"name":"result",`}},
		{id(1), 200, []string{"<title>&lt;b&gt;/1: success – record – errno_exporter</title>"}},
		{id(1) + "?x=1", 400, []string{`parameter "x" is unknown, want format`}},
	} {
		got := ask(t, http.MethodGet, server.URL+"/history/"+row.path, nil)
		if got.Status != row.status {
			t.Errorf("%s: %d, want %d", row.path, got.Status, row.status)
		}
		for _, has := range row.has {
			if !strings.Contains(got.Body, has) {
				t.Errorf("%s has no %s:\n%s", row.path, has, got.Body)
			}
		}
		if got.ContentType == "text/html; charset=utf-8" {
			checkPage(t, got.Body)
		}
	}
}

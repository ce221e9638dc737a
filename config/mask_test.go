package config

import (
	"net/http"
	"net/url"
	"testing"
)

// What a request of a module has is compiled with it: nothing is made again for each probe.
func TestMaskIsCompiledOnce(t *testing.T) {
	for name, text := range map[string]string{
		"basic_auth":    "basic_auth: {username: u, password: hunter2}",
		"bearer":        "bearer_token: hunter2hunter2",
		"authorization": "authorization: {type: Custom, credentials: hunter2}",
		"headers":       "headers: {Authorization: Token hunter2, Cookie: id=hunter2}",
		"http_headers":  "http_headers: {X-Site: {secrets: [hunter2], values: [open]}}",
	} {
		c, err := Parse([]byte("modules: {m: {prober: http, http: {"+text+"}}}"), "f.yml", ".")
		if err != nil {
			t.Fatal(err)
		}
		m := c.Modules["m"]
		request, err := m.Authorize(&http.Request{URL: &url.URL{Scheme: "http", Host: "a"}, Header: m.Header.Clone()})
		if err != nil {
			t.Fatal(err)
		}
		if m.Mask == nil || m.Mask.With(m.SecretsOf(request.URL, request.Header)...) != m.Mask {
			t.Errorf("%s: the mask is made again for %v", name, request.Header)
		}
		if m.Mask.Text("hunter2hunter2 open") == "hunter2hunter2 open" || m.Mask.Text("open") != "open" {
			t.Errorf("%s: masked %q", name, m.Mask.Text("hunter2hunter2 open"))
		}
	}
}

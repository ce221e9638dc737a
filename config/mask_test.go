package config

import (
	"net/http"
	"net/url"
	"testing"
)

func TestMask(t *testing.T) {
	const secret = "s3cr+t/\"ä value"
	mask := (*Mask)(nil).With(secret, "abc", "Basic dTpodW50ZXIy", "id=0123456789; b=1")
	for _, row := range []struct{ name, text, want string }{
		{"as it is", "x " + secret + " y", "x <hidden> y"},
		{"in a query", url.QueryEscape(secret), "<hidden>"},
		{"in a path", url.PathEscape(secret), "<hidden>"},
		{"in JSON", `{"a":"s3cr+t/\"ä value"}`, `{"a":"<hidden>"}`},
		{"in base64", "czNjcit0LyLDpCB2YWx1ZQ==", "<hidden>"},
		{"in base64 without padding", "czNjcit0LyLDpCB2YWx1ZQ", "<hidden>"},
		{"too short to be masked by its value", "abc", "abc"},
		{"basic authentication", "Basic dTpodW50ZXIy", "<hidden>"},
		{"its credentials", "dTpodW50ZXIy", "<hidden>"},
		{"its password", "hunter2", "<hidden>"},
		{"a cookie's value", "0123456789", "<hidden>"},
		{"two", "hunter2hunter2", "<hidden><hidden>"},
		{"nothing", "harmless", "harmless"},
	} {
		if got := mask.Text(row.text); got != row.want {
			t.Errorf("%s: Text(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
	if mask.With(secret, "abc") != mask || (*Mask)(nil).Text("a") != "a" || (*Mask)(nil).With("abc") != nil {
		t.Error("a Mask is made again where nothing is new")
	}
}

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

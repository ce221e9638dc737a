package record

import (
	"net/http"
	"testing"

	"errno_exporter/prober/module"
)

func TestRequestValue(t *testing.T) {
	module := &module.Module{Header: http.Header{"X-Tenant": {"billing"}, "X-Api-Key": {"hunter2"}}}
	for _, row := range []struct{ name, header, value, want string }{
		{"written by the program", "User-Agent", "errno_exporter/1", "errno_exporter/1"},
		{"under headers", "X-Tenant", "billing", "billing"},
		{"under headers, sounds secret", "X-Api-Key", "hunter2", "<hidden>"},
		{"not under headers: a secret of http_headers", "X-Site", "hunter2", "<hidden>"},
		{"the same name twice, another value", "X-Tenant", "hunter2", "<hidden>"},
		{"the trace ID, by which the API's owner finds the request", "Traceparent", "00-1-2-01", "00-1-2-01"},
		{"credentials", "Authorization", "Basic aHVudGVyMg==", "<hidden>"},
		{"credentials for the proxy", "Proxy-Authorization", "Basic aHVudGVyMg==", "<hidden>"},
		{"cookie", "Cookie", "id=hunter2", "<hidden>"},
		{"where a redirect came from", "Referer", "http://u:hunter2@a/?token=hunter2", "http://a/?token=<hidden>"},
	} {
		if got := requestValue(row.header, row.value, module); got != row.want {
			t.Errorf("%s: requestValue(%q, %q) = %q, want %q", row.name, row.header, row.value, got, row.want)
		}
	}
}

func TestResponseValue(t *testing.T) {
	for _, row := range []struct{ name, header, value, want string }{
		{"harmless", "Server", "nginx", "nginx"},
		{"says which credentials are wanted", "WWW-Authenticate", `Basic realm="x"`, `Basic realm="x"`},
		{"cookie", "Set-Cookie", "id=hunter2", "<hidden>"},
		{"token", "x-csrf-token", "hunter2", "<hidden>"},
		{"redirect with a session", "Location", "/next?a=1&SessionID=hunter2&b=2", "/next?a=1&SessionID=<hidden>&b=2"},
		{"redirect with userinfo", "Location", "https://user:hunter2@example.com/", "https://example.com/"},
		{"redirect with a token in the fragment", "Location", "https://example.com/#access_token=hunter2",
			"https://example.com/#%3Chidden%3E"},
		{"redirect that is no URL", "Location", "http://[::1?token=hunter2", "http://[::1?…"},
		{"redirect that is no URL, with userinfo", "Location", "http://user:hunter2@[::1", "http://[::1"},
		{"redirect without //", "Location", "https:user:hunter2@example.com", "https:<hidden>"},
	} {
		if got := responseValue(row.header, row.value, nil); got != row.want {
			t.Errorf("%s: responseValue(%q, %q) = %q, want %q", row.name, row.header, row.value, got, row.want)
		}
	}
}

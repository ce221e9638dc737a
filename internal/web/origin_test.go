package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestOrigins(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	handler := knownHost(sameOrigin(ok, &url.URL{Scheme: "https", Host: "probe.example.com"}),
		[]string{"Probe.example.com.", "10.0.0.7", "2001:db8::1"})
	for _, row := range []struct {
		name, method, path, host string
		header                   http.Header
		status                   int
	}{
		{"a program", "POST", "/-/reload", "10.0.0.7:10104", nil, 200},
		{"our own page", "POST", "/-/reload", "10.0.0.7", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
		{"another site's page", "POST", "/-/reload", "10.0.0.7", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"another port's page", "PUT", "/-/reload", "10.0.0.7", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"another origin, an old browser", "POST", "/-/reload", "10.0.0.7",
			http.Header{"Origin": {"https://evil.example"}}, 403},
		{"no origin", "POST", "/-/reload", "10.0.0.7", http.Header{"Origin": {"null"}}, 403},
		{"the external URL", "POST", "/-/reload", "10.0.0.7", http.Header{"Origin": {"https://probe.example.com"}},
			200},
		{"another site's link", "GET", "/", "10.0.0.7", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 200},
		{"another site's picture", "GET", "/probe", "10.0.0.7",
			http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}, 403},
		{"another site's frame", "GET", "/metrics", "10.0.0.7",
			http.Header{"Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}, 403},
		{"a link to a probe", "GET", "/probe", "10.0.0.7", http.Header{"Sec-Fetch-Site": {"cross-site"},
			"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, 200},
		{"our own page's request for a probe", "GET", "/probe", "10.0.0.7",
			http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}}, 200},
		{"capitals and a dot", "GET", "/config", "PROBE.example.com.:80", nil, 200},
		{"IPv6", "GET", "/config", "[2001:db8::1]:10104", nil, 200},
		{"a foreign name", "GET", "/config", "evil.example", nil, 421},
		{"a foreign name with our port", "GET", "/", "evil.example:10104", nil, 421},
		{"a name that contains ours", "GET", "/", "probe.example.com.evil.example", nil, 421},
		{"a foreign name changes", "POST", "/-/reload", "evil.example", http.Header{"Sec-Fetch-Site": {"same-origin"}},
			421},
		{"an orchestrator", "GET", "/-/healthy", "172.17.0.2:10104", nil, 200},
		{"an orchestrator asks for more", "GET", "/-/ready", "172.17.0.2:10104", nil, 200},
		{"a path that only looks so", "GET", "/-/ready/", "172.17.0.2:10104", nil, 421},
	} {
		request := httptest.NewRequest(row.method, row.path, nil)
		request.Host = row.host
		for name, values := range row.header {
			request.Header[name] = values
		}
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, request); w.Code != row.status {
			t.Errorf("%s: %d %s, want %d", row.name, w.Code, w.Body, row.status)
		}
	}
}

func TestCheckHosts(t *testing.T) {
	for host, good := range map[string]bool{
		"a": true, "10.0.0.7": true, "2001:db8::1": true, "[2001:db8::1]": true, "A.example.": true,
		"": false, "a:80": false, "https://a": false, "*.example.com": false, "a/b": false, "[::1]:80": false,
	} {
		if err := CheckHosts([]string{host}); (err == nil) != good {
			t.Errorf("CheckHosts(%q) = %v, want good %t", host, err, good)
		}
	}
}

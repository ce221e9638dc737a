package config

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"errno_exporter/config/compile"
	"errno_exporter/prober/module"
)

// TestBlackboxFile loads what a blackbox_exporter user has and compares each module whole.
func TestBlackboxFile(t *testing.T) {
	got, err := Load("testdata/blackbox.yml")
	if err != nil {
		t.Fatal(err)
	}
	plain := module.New("http_2xx")
	plain.PreferIPv6 = false
	post := module.New("http_post_2xx")
	post.Timeout = 5 * time.Second
	post.Method, post.Body, post.Host = http.MethodPost, []byte("{}"), "vhost.example.com"
	post.Header = http.Header{"Content-Type": {"application/json"}}
	everything := &module.Module{
		Retry: module.New("").Retry, Diagnose: module.Diagnose{MaxPerHour: 6, ClosedPort: true, NeverRouted: true},
		Name: "http_everything", Timeout: 90 * time.Second, Method: http.MethodGet, Header: http.Header{},
		PreferIPv6: true,
		TLS: &tls.Config{NextProtos: []string{"http/1.1"}, InsecureSkipVerify: true,
			MinVersion: tls.VersionTLS12, ServerName: "other.example.com"},
		Proxy:              func(*http.Request) (*url.URL, error) { return nil, nil },
		ProxyConnectHeader: http.Header{"X-Proxy": {"v"}}, SkipResolve: true,
		Compression: "gzip", BodySizeLimit: 1 << 20,
		ValidStatusCodes: []int{200, 301}, ValidHTTPVersions: []string{"HTTP/1.1", "HTTP/2.0"}, FailIfNotSSL: true,
		FailIfBodyMatches:    []*regexp.Regexp{regexp.MustCompile("Could not connect to database")},
		FailIfBodyNotMatches: []*regexp.Regexp{regexp.MustCompile("Download the latest version here")},
		FailIfHeaderMatches: []module.HeaderMatch{{Header: "Set-Cookie", Regexp: regexp.MustCompile(".*"),
			AllowMissing: true}},
		FailIfHeaderNotMatches: []module.HeaderMatch{{Header: "Access-Control-Allow-Origin",
			Regexp: regexp.MustCompile(`(\*|example\.com)`), AllowMissing: false}},
		Credentials: func(r *http.Request) (*http.Request, error) { return r, nil },
		Mask:        (*module.Mask)(nil).With("token", "Bearer token"), OpenValues: []string{"a", "b"},
		Sent: new(module.Sent),
	}
	want := &Config{File: "testdata/blackbox.yml", Policy: DefaultPolicy(), Modules: map[string]*module.Module{
		"http_2xx": plain, "http_post_2xx": post, "http_everything": everything,
	}, Skipped: map[string]string{}, Differences: []string{
		`testdata/blackbox.yml:50: module "http_everything": proxy_url: the tunnel through a proxy is the phase proxy ` +
			`(there: connect)`,
		`testdata/blackbox.yml:45: module "http_everything": authorization: credentials are sent to the target's ` +
			`scheme, host and port only (there: after redirects to others too)`,
		`testdata/blackbox.yml:35: module "http_everything": compression: an empty body fails with br, too; HEAD, 204 ` +
			`and 304 do not fail (there: they do)`,
	}}
	if diff := cmp.Diff(want, got, equalModules, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestOneKey(t *testing.T) {
	for _, row := range []struct {
		name, text string
		change     func(*module.Module)
	}{
		{"nothing", "{}", func(*module.Module) {}},
		{"aliases", "{headers: &h {A: b}, body: x}",
			func(m *module.Module) { m.Header, m.Body = http.Header{"A": {"b"}}, []byte("x") }},
		{"IPv4", "{preferred_ip_protocol: ip4, ip_protocol_fallback: false}",
			func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = false, false }},
		{"source", "{source_ip_address: '::ffff:10.0.0.7'}",
			func(m *module.Module) { m.SourceIP = netip.MustParseAddr("10.0.0.7") }},
		{"the old key wins", "{no_follow_redirects: false, follow_redirects: false}",
			func(m *module.Module) { m.FollowRedirects = true }},
		{"credentials without a value", "{basic_auth: , authorization: }", func(*module.Module) {}},
		{"a list with an alias", "{headers: {A: &c b}, valid_http_versions: [HTTP/1.1], fail_if_body_matches_regexp: " +
			"[*c]}", func(m *module.Module) {
			m.Header, m.ValidHTTPVersions = http.Header{"A": {"b"}}, []string{"HTTP/1.1"}
			m.FailIfBodyMatches = []*regexp.Regexp{regexp.MustCompile("b")}
		}},
		{"expressions with a limit", "{fail_if_body_matches_regexp: [a], body_size_limit: 3MB}",
			func(m *module.Module) {
				m.FailIfBodyMatches, m.BodySizeLimit = []*regexp.Regexp{regexp.MustCompile("a")}, 3<<20
			}},
		{"expressions without a limit", "{fail_if_body_matches_regexp: [a], body_size_limit: 0}",
			func(m *module.Module) {
				m.FailIfBodyMatches, m.BodySizeLimit = []*regexp.Regexp{regexp.MustCompile("a")}, 0
			}},
		{"no limit", "{body_size_limit: 0}", func(m *module.Module) { m.BodySizeLimit = 0 }},
		{"Host of one header", "{headers: {hOST: 'a.example:8443'}}",
			func(m *module.Module) { m.Host = "a.example:8443" }},
		{"revocation", "{check_revoked: true}", func(m *module.Module) { m.CheckRevoked = true }},
		{"cipher suites and curves", "{tls_cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], " +
			"tls_curves: [X25519, P-256, CurveP384]}", func(m *module.Module) {
			m.TLS.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
			m.TLS.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
		}},
		{"neither cipher suites nor curves", "{tls_cipher_suites: [], tls_curves: [], tls_legacy: false}",
			func(*module.Module) {}},
		{"old servers", "{tls_legacy: true, tls_cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}",
			func(m *module.Module) {
				m.TLS.MinVersion, m.TLS.CipherSuites = tls.VersionTLS10, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
			}},
		{"old servers of a version", "{tls_legacy: true, tls_config: {min_version: TLS11}}", func(m *module.Module) {
			m.TLS.MinVersion, m.TLS.CipherSuites = tls.VersionTLS11, compile.AllSuites()
		}},
		{"an old version", "{tls_config: {min_version: TLS10}}",
			func(m *module.Module) { m.TLS.MinVersion = tls.VersionTLS10 }},
		{"HTTP/3 with a curve", "{enable_http3: true, enable_http2: false, tls_curves: [P-384]}",
			func(m *module.Module) {
				m.EnableHTTP3, m.EnableHTTP2, m.TLS.NextProtos = true, false, []string{"h3"}
				m.TLS.CurvePreferences = []tls.CurveID{tls.CurveP384}
			}},
		{"pinned keys", "{pinned_keys: ['sha256//" + strings.Repeat("A", 43) + "=']}",
			func(m *module.Module) { m.PinnedKeys = []module.Pin{{}} }},
		{"no HTTP/2", "{enable_http2: false}", func(m *module.Module) {
			m.EnableHTTP2, m.TLS.NextProtos = false,
				[]string{"http/1.1"}
		}},
		{"compression is accepted", "{compression: br, headers: {Accept-Encoding: 'gzip, *;q=0.5'}}",
			func(m *module.Module) {
				m.Compression, m.Header = "br", http.Header{"Accept-Encoding": {"gzip, *;q=0.5"}}
			}},
	} {
		c, err := Parse([]byte("modules: {m: {prober: http, http: "+row.text+"}}"), "f.yml", ".")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		want := module.New("m")
		row.change(want)
		if diff := cmp.Diff(want, c.Modules["m"], equalModules); diff != "" {
			t.Errorf("%s: Parse (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestMergeKeys: a mapping's own keys win, then those of the first mapping merged.
func TestMergeKeys(t *testing.T) {
	const text = `
modules:
  a: &a
    prober: http
    timeout: 5s
    http: &get {method: HEAD, headers: {A: b}, body: x}
  b: {prober: http, http: &put {method: PUT, compression: br}}
  own: {<<: *a, timeout: 7s}
  several: {prober: http, http: {body: y, <<: [*put, *get]}}
`
	c, err := Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	own, several := module.New("own"), module.New("several")
	own.Timeout, own.Method, own.Header, own.Body = 7*time.Second, "HEAD", http.Header{"A": {"b"}}, []byte("x")
	several.Method, several.Header, several.Body, several.Compression = "PUT", http.Header{"A": {"b"}}, []byte("y"),
		"br"
	for _, want := range []*module.Module{own, several} {
		if diff := cmp.Diff(want, c.Modules[want.Name], equalModules); diff != "" {
			t.Errorf("%s: Parse (-want +got):\n%s", want.Name, diff)
		}
	}
}

func TestAuthorize(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	first := &http.Request{URL: &url.URL{Scheme: "https", Host: "api.example.com"}}
	elsewhere := &http.Response{Request: first}
	for _, row := range []struct {
		name, text, content, host string
		response                  *http.Response
		want                      http.Header
		err                       string
	}{
		{"nothing", "{}", "", "api.example.com", nil, http.Header{}, ""},
		{"basic", "{basic_auth: {username: u, password: p}}", "", "api.example.com", nil,
			http.Header{"Authorization": {"Basic dTpw"}}, ""},
		{"bearer", "{bearer_token: t}", "", "api.example.com", nil, http.Header{"Authorization": {"Bearer t"}}, ""},
		{"another type", "{authorization: {type: Key, credentials: k}}", "", "api.example.com", nil,
			http.Header{"Authorization": {"Key k"}}, ""},
		{"file, changed since", "{bearer_token_file: secret}", "second", "api.example.com", nil,
			http.Header{"Authorization": {"Bearer second"}}, ""},
		{"file, gone since", "{bearer_token_file: secret}", "gone", "api.example.com", nil, nil,
			"unable to read authorization credentials: unable to read file " + secret + ": open " + secret +
				": no such file or directory"},
		{"headers", "{http_headers: {X-A: {values: [a], secrets: [b]}}}", "", "api.example.com", nil,
			http.Header{"X-A": {"a", "b"}}, ""},
		{"redirect to the same host", "{bearer_token: t}", "", "api.example.com", elsewhere,
			http.Header{"Authorization": {"Bearer t"}}, ""},
		{"redirect to another host", "{bearer_token: t}", "", "evil.example", elsewhere, http.Header{}, ""},
	} {
		write("first\n")
		c, err := Parse([]byte("modules: {m: {prober: http, http: "+row.text+"}}"), "f.yml", dir)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		write(row.content)
		if row.content == "gone" {
			if err := os.Remove(secret); err != nil {
				t.Fatal(err)
			}
		}
		request := &http.Request{URL: &url.URL{Scheme: "https", Host: row.host}, Header: http.Header{},
			Response: row.response}
		var got http.Header
		message := ""
		if authorized, err := c.Modules["m"].Authorize(request); err != nil {
			message = err.Error()
		} else {
			got = authorized.Header
		}
		if diff := cmp.Diff(row.want, got); diff != "" || message != row.err {
			t.Errorf("%s: Authorize: error %q, want %q; header (-want +got):\n%s", row.name, message, row.err, diff)
		}
	}
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporter.yml")
	current := NewCurrent(Default())
	for _, row := range []struct {
		name, text string
		err        bool
		modules    int
	}{
		{"good", "modules: {a: {prober: http}, b: {prober: http}}", false, 2},
		{"bad leaves the old one", "modules: {a: {prober: tcp}}", true, 2},
		{"good again", "modules: {a: {prober: http}}", false, 1},
	} {
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := current.Reload(path)
		if got := len(current.Get().Modules); (err != nil) != row.err || got != row.modules {
			t.Errorf("%s: Reload = %v, %d modules, want error %v, %d modules", row.name, err, got, row.err, row.modules)
		}
	}
}

func TestTargets(t *testing.T) {
	c, err := Parse([]byte(`
modules: {http_2xx: {prober: http}, api: {prober: http, http: {trace: true}}}
targets:
  - {name: plain, url: api.example.com/health}
  - name: all keys
    url: https://u:p@api.example.com:8443/?a=b
    module: api
    labels: {team: billing, stage: 1}
    min_interval: 10s
    histograms: classic
`), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	parsed := func(raw string) *url.URL {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	want := []*Target{
		{
			Name: "plain", URL: parsed("http://api.example.com/health"), ShownURL: "http://api.example.com/health",
			Module: c.Modules["http_2xx"],
		},
		{
			Name: "all keys", URL: parsed("https://u:p@api.example.com:8443/?a=b"),
			ShownURL: "https://api.example.com:8443/?a=b", Module: c.Modules["api"],
			Labels: []Label{{"stage", "1"}, {"team", "billing"}}, MinInterval: 10 * time.Second,
			Histograms: ClassicHistograms,
		},
	}
	if diff := cmp.Diff(want, c.Targets, equalModules, cmp.AllowUnexported(url.Userinfo{})); diff != "" {
		t.Errorf("Targets (-want +got):\n%s", diff)
	}
	if got := c.Find("all keys"); got != c.Targets[1] {
		t.Errorf(`Find("all keys") = %v, want the second`, got)
	}
	if got := c.Find("nobody"); got != nil {
		t.Errorf(`Find("nobody") = %v, want none`, got)
	}
	if !c.Modules["api"].Trace || c.Modules["http_2xx"].Trace {
		t.Error("trace is not what was configured")
	}
}

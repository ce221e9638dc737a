package config

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/module"
)

// TestAccepted: what blackbox_exporter loads is loaded, with a warning where it is probably not what was meant.
func TestAccepted(t *testing.T) {
	unchanged := func(*module.Module) {}
	for _, row := range []struct {
		name, text string
		change     func(*module.Module)
		warning    string // after file and module; empty: none
	}{
		{"method in lower case", "{method: get}", func(m *module.Module) { m.Method = "get" },
			`method "get" is sent as it is written, and methods are case-sensitive: did you mean "GET"?`},
		{"method of one's own", "{method: FOO}", func(m *module.Module) { m.Method = "FOO" }, ""},
		{"no method", `{method: ""}`, unchanged, ""},
		{"HTTP/2", `{valid_http_versions: ["HTTP/1.1", "HTTP/2"]}`, func(m *module.Module) {
			m.ValidHTTPVersions = []string{"HTTP/1.1", "HTTP/2"}
		}, `valid_http_versions "HTTP/2" never matches: did you mean "HTTP/2.0"?`},
		{"1.1", `{valid_http_versions: [1.1]}`, func(m *module.Module) { m.ValidHTTPVersions = []string{"1.1"} },
			`valid_http_versions "1.1" never matches: did you mean "HTTP/1.1"?`},
		{"h2", `{valid_http_versions: [h2]}`, func(m *module.Module) { m.ValidHTTPVersions = []string{"h2"} },
			`valid_http_versions "h2" never matches: did you mean "HTTP/2.0"?`},
		{"a version of none", `{valid_http_versions: [SPDY]}`,
			func(m *module.Module) { m.ValidHTTPVersions = []string{"SPDY"} }, `valid_http_versions "SPDY" never ` +
				`matches, want one of HTTP/1.0, HTTP/1.1, HTTP/2.0, HTTP/3.0`},
		{"HTTP/3.0 among others", `{valid_http_versions: ["HTTP/2.0", "HTTP/3.0"]}`,
			func(m *module.Module) { m.ValidHTTPVersions = []string{"HTTP/2.0", "HTTP/3.0"} }, ""},
		{"a version that is switched off", "{enable_http2: false, valid_http_versions: [HTTP/2.0]}",
			func(m *module.Module) {
				m.EnableHTTP2, m.TLS.NextProtos, m.ValidHTTPVersions = false, []string{"http/1.1"}, []string{"HTTP/2.0"}
			}, `every response fails: HTTP/2.0 needs enable_http2: true`},
		{"a version that HTTP/3 is not", "{enable_http3: true, enable_http2: false, valid_http_versions: [HTTP/1.1]}",
			func(m *module.Module) {
				m.EnableHTTP3, m.EnableHTTP2, m.TLS.NextProtos = true, false, []string{"h3"}
				m.ValidHTTPVersions = []string{"HTTP/1.1"}
			}, `every response fails: with enable_http3 the version is HTTP/3.0`},
		{"ipv4", "{preferred_ip_protocol: ipv4}", func(m *module.Module) { m.PreferIPv6 = false },
			`preferred_ip_protocol "ipv4" counts as ip4, as in blackbox_exporter: want ip4 or ip6`},
		{"ipv6", "{preferred_ip_protocol: ipv6}", func(m *module.Module) { m.PreferIPv6 = false },
			`preferred_ip_protocol "ipv6" counts as ip4, as in blackbox_exporter: want ip4 or ip6`},
		{"no protocol", `{preferred_ip_protocol: ""}`, unchanged, ""},
		{"status 999", "{valid_status_codes: [999]}", func(m *module.Module) { m.ValidStatusCodes = []int{999} }, ""},
		{"coding in capitals", "{compression: GZIP}", func(m *module.Module) { m.Compression = "gzip" }, ""},
		{"negative limit", "{body_size_limit: -1MB}", func(m *module.Module) { m.BodySizeLimit = 0 }, ""},
		{"empty Host", `{headers: {Host: "", X-A: ""}}`, func(m *module.Module) { m.Header = http.Header{"X-A": {""}} },
			""},
		{"international Host", `{headers: {Host: "bücher.example:8443"}}`,
			func(m *module.Module) { m.Host = "xn--bcher-kva.example:8443" }, ""},
		{"no source", `{source_ip_address: ""}`, unchanged, ""},
		{"a header of CONNECT without a value", "{proxy_url: 'http://proxy:3128', proxy_connect_header: {X-A: }}", nil,
			""},
		{"a long method", "{method: " + strings.Repeat("a", 100) + "}",
			func(m *module.Module) { m.Method = strings.Repeat("a", 100) }, `method "` + strings.Repeat("a", 80) +
				`…" is sent as it is written, and methods are case-sensitive: did you mean "` +
				strings.Repeat("A", 80) + `…"?`},
		{"an environment variable", "{headers: {X-A: 'a ${TOKEN}'}}",
			func(m *module.Module) { m.Header = http.Header{"X-A": {"a ${TOKEN}"}} }, "${TOKEN} is taken as it is " +
				"written, environment variables are not replaced: want a key that reads a file, such as password_file, " +
				"credentials_file or http_headers with files"},
		{"our own mask", "{body: <hidden>}", func(m *module.Module) { m.Body = []byte("<hidden>") },
			"<hidden> is what /config shows in the place of a secret: want the secret itself"},
		{"a value for another program", "{headers: {X-A: !vault abc}}",
			func(m *module.Module) { m.Header = http.Header{"X-A": {"abc"}} },
			"the tag !vault has no effect: the value is taken as it is written"},
		{"a masked value", "{headers: {X-A: <secret>}}",
			func(m *module.Module) { m.Header = http.Header{"X-A": {"<secret>"}} },
			"<secret> is what /config shows in the place of a secret: want the secret itself"},
		{"no environment variable", "{headers: {X-A: '${1} ${} $TOKEN'}}",
			func(m *module.Module) { m.Header = http.Header{"X-A": {"${1} ${} $TOKEN"}} }, ""},
		{"no proxy", `{proxy_url: ""}`, unchanged, ""},
		{"proxy without a scheme", "{proxy_url: 'proxy:3128'}", nil,
			`proxy_url has no scheme, http is used: want http://HOST:PORT`},
		{"proxy with slashes alone", "{proxy_url: '//proxy:3128'}", nil,
			`proxy_url has no scheme, http is used: want http://HOST:PORT`},
	} {
		c, err := Parse([]byte("modules: {m: {prober: http, http: "+row.text+"}}"), "f.yml", ".")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if row.change == nil { // a proxy
			u, err := c.Modules["m"].Proxy(&http.Request{URL: nil})
			if err != nil || u.String() != "http://proxy:3128" {
				t.Errorf("%s: the proxy is %v, %v, want http://proxy:3128", row.name, u, err)
			}
		} else {
			want := module.New("m")
			row.change(want)
			if diff := cmp.Diff(want, c.Modules["m"], equalModules); diff != "" {
				t.Errorf("%s: Parse (-want +got):\n%s", row.name, diff)
			}
		}
		want := ""
		if row.warning != "" {
			want = `f.yml:1: module "m": ` + row.warning
		}
		if got := strings.Join(c.Warnings, "\n"); got != want {
			t.Errorf("%s: warned %q, want %q", row.name, got, want)
		}
	}
}

// TestNulls: a key of a module without a value is the same as no key, whichever it is.
func TestNulls(t *testing.T) {
	h := &httpKeys{Module: module.New("x")}
	for name := range h.keys() {
		for _, null := range []string{"", "null", "~"} {
			text := "modules: {m: {prober: http, timeout: , http: {" + name + ": " + null + "}}}"
			c, err := Parse([]byte(text), "f.yml", ".")
			if err != nil {
				t.Errorf("%s: %q: %v", name, null, err)
				continue
			}
			if diff := cmp.Diff(module.New("m"), c.Modules["m"], equalModules); diff != "" {
				t.Errorf("%s: %q: Parse (-want +got):\n%s", name, null, diff)
			}
			if len(c.Warnings)+len(c.Differences) > 0 {
				t.Errorf("%s: %q: noted %q, %q, want nothing", name, null, c.Warnings, c.Differences)
			}
		}
	}
}

// TestNothingIsDifferent: a key with the value that it has without being given makes no difference.
func TestNothingIsDifferent(t *testing.T) {
	for _, keys := range []string{`proxy_url: ""`, "proxy_from_environment: false", `compression: ""`, `body_file: ""`,
		"enable_http3: false", "check_revoked: no", `bearer_token: ""`, "http_headers: {}"} {
		c, err := Parse([]byte("modules: {m: {prober: http, http: {"+keys+"}}}"), "f.yml", ".")
		if err != nil || len(c.Warnings)+len(c.Differences) > 0 {
			t.Errorf("%s: Parse = %+v, %v, want neither warnings nor differences", keys, c, err)
		}
	}
}

// TestKeysOfOtherProbers: a module may have the keys of other probers, as blackbox_exporter's own dumps do.
func TestKeysOfOtherProbers(t *testing.T) {
	const text = "modules: {m: {prober: http, tcp: {}, icmp: , dns: {query_name: a}, grpc: {}, http: {}}}"
	c, err := Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`f.yml:1: module "m": dns is ignored: the module's prober is http`}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

package config

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"errno_exporter/prober/module"
)

// What each option of curl's changes of a module, beside what the module says itself.
func TestOverrideConnection(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	type facts struct {
		IPv6, Fallback, Redirects, Insecure, HTTP2, HTTP3 bool
		SkipResolve                                       bool
		Offered, Proxy, Authorization                     string
	}
	unchanged := facts{IPv6: true, Fallback: true, Redirects: true, HTTP2: true, Offered: "h2,http/1.1",
		Authorization: "Bearer abc"}
	change := func(f func(*facts)) facts {
		changed := unchanged
		f(&changed)
		return changed
	}
	for _, row := range []struct {
		name string
		c    Connection
		want facts
		err  string
	}{
		{"nothing", Connection{}, unchanged, ""},
		{"-4", Connection{IPv4: true}, change(func(f *facts) { f.IPv6, f.Fallback = false, false }), ""},
		{"-6", Connection{IPv6: true}, change(func(f *facts) { f.Fallback = false }), ""},
		{"-4 -6", Connection{IPv4: true, IPv6: true}, facts{}, "-4 and -6 exclude each other"},
		{"-L", Connection{HasLocation: true, Location: true}, unchanged, ""},
		{"--no-location", Connection{HasLocation: true}, change(func(f *facts) { f.Redirects = false }), ""},
		{"-k", Connection{Insecure: true}, change(func(f *facts) { f.Insecure = true }), ""},
		{"--http1.1", Connection{HTTP1: true}, change(func(f *facts) { f.HTTP2, f.Offered = false, "http/1.1" }), ""},
		{"--http2", Connection{HTTP2: true}, unchanged, ""},
		{"--http3", Connection{HTTP3: true},
			change(func(f *facts) { f.HTTP2, f.HTTP3, f.Offered = false, true, "h3" }), ""},
		{"--http3 -x", Connection{HTTP3: true, Proxy: "proxy.example.com:3128"}, facts{},
			"HTTP/3 cannot go through a proxy, which has no way for QUIC: remove --http3, or the proxy"},
		{"-u", Connection{User: "user:geheim"}, change(func(f *facts) { f.Authorization = "" }), ""},
		{"-x HOST", Connection{Proxy: "proxy.example.com:3128"},
			change(func(f *facts) { f.Proxy, f.SkipResolve = "http://proxy.example.com:3128", true }), ""},
		{"-x URL", Connection{Proxy: "socks5h://192.0.2.1:1080"},
			change(func(f *facts) { f.Proxy, f.SkipResolve = "socks5h://192.0.2.1:1080", true }), ""},
		{"-x of SOCKS where names are resolved here", Connection{Proxy: "socks5://192.0.2.1:1080"},
			change(func(f *facts) { f.Proxy = "socks5://192.0.2.1:1080" }), ""},
		{"-x of another scheme", Connection{Proxy: "ftp://user:geheim@proxy.example.com"}, facts{},
			`-x "ftp://user:xxxxx@proxy.example.com": want SCHEME://HOST:PORT with one of the schemes http, https, socks5, socks5h`},
		{"-x that is none", Connection{Proxy: "http://user:geheim@%zz"}, facts{},
			"-x: not a URL, want one such as http://proxy.example.com:3128"},
		{"--cacert without one", Connection{CACert: empty}, facts{},
			"--cacert " + empty + ": the file has no certificate in PEM"},
		{"--cacert that is not there", Connection{CACert: "/nonexistent"}, facts{},
			"--cacert /nonexistent: open /nonexistent: no such file or directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := module.New("m")
			m.Header.Set("Authorization", "Bearer abc")
			changed, err := Overrides{Connection: row.c}.Apply(m)
			if err != nil || row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Fatalf("error %v, want %s", err, row.err)
				}
				return
			}
			got := facts{changed.PreferIPv6, changed.IPProtocolFallback, changed.FollowRedirects,
				changed.TLS.InsecureSkipVerify, changed.EnableHTTP2, changed.EnableHTTP3,
				changed.SkipResolve, strings.Join(changed.TLS.NextProtos, ","), proxyOf(t, changed), changed.Header.Get("Authorization")}
			if got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
			if m.TLS.InsecureSkipVerify || !slices.Equal(m.TLS.NextProtos, []string{"h2", "http/1.1"}) || m.Proxy != nil ||
				m.Header.Get("Authorization") == "" {
				t.Error("the module itself was changed")
			}
		})
	}
}

// proxyOf is the URL of a module's proxy; empty for none.
func proxyOf(t *testing.T, m *module.Module) string {
	t.Helper()
	if m.Proxy == nil {
		return ""
	}
	u, err := m.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}

package prober

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// parsed is a URL that is known to be one.
func parsed(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// What a redirected request keeps of its headers: all of them at the target's origin, and elsewhere what says nothing
// of the client. net/http's client has added a Referer, unless the module has one.
func TestWithhold(t *testing.T) {
	harmless := []string{"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control",
		"Content-Encoding", "Content-Language", "Content-Type", "Dnt", "Expect", "Pragma", "Range", "Te", "Traceparent",
		"Upgrade-Insecure-Requests", "User-Agent", ProbeHeader}
	slices.Sort(harmless)
	secret := []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Tracestate", "Forwarded"}
	all := slices.Sorted(slices.Values(slices.Concat(harmless, secret)))
	with := func(names []string, more ...string) []string {
		return slices.Sorted(slices.Values(slices.Concat(names, more)))
	}
	for _, row := range []struct {
		name    string
		to      string
		own     string // the module's Referer
		want    []string
		referer string
	}{
		{"the target's origin", "http://a.test/2", "", with(all, "Referer"), "http://a.test/1?q"},
		{"another host", "http://b.test/2", "", with(harmless, "Referer"), "http://a.test/"},
		{"another port", "http://a.test:8080/2", "", with(harmless, "Referer"), "http://a.test/"},
		{"the target's origin, the module's Referer", "http://a.test/2", "http://own.test/x", with(all, "Referer"),
			"http://own.test/x"},
		{"another host, the module's Referer", "http://b.test/2", "http://own.test/x", harmless, ""},
	} {
		m := module.New("m")
		m.Header = http.Header{}
		from := "http://a.test/1?q"
		if row.own != "" {
			m.Header.Set("Referer", row.own)
			from = row.own
		}
		a := &attempt{module: m, target: Target{URL: parsed(t, "http://user:secret@a.test/1?q#fragment")}}
		next := &http.Request{URL: parsed(t, strings.Replace(row.to, "//", "//x:y@", 1)), Header: http.Header{}}
		for _, name := range all {
			next.Header.Set(name, "value")
		}
		next.Header.Set("Referer", from)
		a.withhold(next, a.target.URL)
		got := []string{}
		for name := range next.Header {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", row.name, diff)
		}
		if referer := next.Header.Get("Referer"); referer != row.referer || next.URL.User != nil {
			t.Errorf("%s: Referer %q, userinfo %v, want %q and none", row.name, referer, next.URL.User, row.referer)
		}
	}
}

// A client certificate is not shown to another host, however it is configured.
func TestWithholdCertificate(t *testing.T) {
	c := &tls.Config{Certificates: []tls.Certificate{{}},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil }}
	withholdCertificate(c)
	if len(c.Certificates) != 0 || c.GetClientCertificate != nil {
		t.Errorf("%d certificates, a function %t, want none", len(c.Certificates), c.GetClientCertificate != nil)
	}
}

// Which cookies have room.
func TestCookiesHaveRoom(t *testing.T) {
	first, second := parsed(t, "http://a.test/1"), parsed(t, "http://a.test/2")
	full := newCookies()
	for i := range maxCookies {
		if !full.admits(first, &http.Cookie{Name: fmt.Sprint(i), Value: "v"}) {
			t.Fatalf("cookie %d of %d has no room", i+1, maxCookies)
		}
	}
	for _, row := range []struct {
		name   string
		u      *url.URL
		cookie http.Cookie
		want   bool
	}{
		{"one more", first, http.Cookie{Name: "more", Value: "v"}, false},
		{"a known one again", first, http.Cookie{Name: "0", Value: "w"}, true},
		{"a known one, longer", first, http.Cookie{Name: "0", Value: strings.Repeat("w", 100)}, true},
		{"the same name, set by another path", second, http.Cookie{Name: "0", Value: "v"}, false},
		{"the same name with a path of its own", first, http.Cookie{Name: "0", Value: "v", Path: "/x"}, false},
		{"the same name with a domain", first, http.Cookie{Name: "0", Value: "v", Domain: "a.test"}, false},
		{"a known one, too long", first, http.Cookie{Name: "0", Value: strings.Repeat("w", maxCookie)}, false},
	} {
		if got := full.admits(row.u, &row.cookie); got != row.want {
			t.Errorf("%s: admitted %t, want %t", row.name, got, row.want)
		}
	}
}

// Each status that leads elsewhere, if it says where.
func TestIsRedirect(t *testing.T) {
	for _, row := range []struct {
		status   int
		location string
		want     bool
	}{
		{301, "/", true}, {302, "/", true}, {303, "/", true}, {307, "/", true}, {308, "/", true}, {302, "", false},
		{200, "/", false}, {201, "/", false}, {300, "/", false}, {304, "/", false}, {305, "/", false}, {400, "/", false},
	} {
		if got := isRedirect(responseTo(row.status, row.location)); got != row.want {
			t.Errorf("%d with Location %q: isRedirect = %t, want %t", row.status, row.location, got, row.want)
		}
	}
}

func responseTo(status int, location string) *result.Response {
	return &result.Response{Status: status, Header: http.Header{"Location": {location}}}
}

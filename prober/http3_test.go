package prober_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestHTTP3SendsWhatTheModuleSays: credentials, headers, body, name and source address go the way they go over TCP, and
// what was resolved is what was dialled.
func TestHTTP3SendsWhatTheModuleSays(t *testing.T) {
	for _, row := range []struct {
		name, keys string
		want       faultlab.Seen
	}{
		{"defaults", "", faultlab.Seen{Method: "GET", Header: http.Header{}}},
		{"basic_auth", "basic_auth: {username: u, password: p}",
			faultlab.Seen{Method: "GET", Header: http.Header{"Authorization": {"Basic dTpw"}}}},
		{"authorization", "authorization: {credentials: t}",
			faultlab.Seen{Method: "GET", Header: http.Header{"Authorization": {"Bearer t"}}}},
		{"http_headers", "http_headers: {X-A: {values: [b], secrets: [c]}}",
			faultlab.Seen{Method: "GET", Header: http.Header{"X-A": {"b", "c"}}}},
		{"headers", "headers: {X-A: b}", faultlab.Seen{Method: "GET", Header: http.Header{"X-A": {"b"}}}},
		{"Host", "headers: {Host: localhost}", faultlab.Seen{Method: "GET", Host: "localhost", ServerName: "localhost",
			Header: http.Header{}}},
		{"body", "method: POST\n      body: hello",
			faultlab.Seen{Method: "POST", Header: http.Header{"Content-Length": {"5"}}, Body: "hello", Length: 5}},
		{"source address", "source_ip_address: 127.0.0.3", faultlab.Seen{Method: "GET", Header: http.Header{}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			seen := make(chan []faultlab.Seen, 1) // UDP orders nothing: the channel does
			url := faultlab.HTTP3Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var requests heard
				recorderOf(&requests, fine).ServeHTTP(w, r)
				seen <- requests.all()
			}))
			m := http3Module(t, row.keys)
			r := probe(t, prober.New(prober.Options{UserAgent: "errno_exporter/test"}),
				strings.Replace(url, "https", "http", 1)+"path?q=%2B", m)
			if r.Failure != nil {
				t.Fatalf("Probe: %v (%v)%s", r.Failure.Sentence(), r.Failure.Err, evidence(&r))
			}
			row.want.URI, row.want.Proto = "/path?q=%2B", "HTTP/3.0"
			row.want.Header.Set("User-Agent", "errno_exporter/test")
			if row.want.Body == "" {
				row.want.Length = -1 // over HTTP/3 no body needs no length
			}
			if row.want.Host == "" {
				row.want.Host = strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/")
			}
			if diff := cmp.Diff([]faultlab.Seen{row.want}, unsigned(t, <-seen)); diff != "" {
				t.Errorf("the server saw something else (-want +got):\n%s", diff)
			}
			hop := r.Last().LastHop()
			if hop.Wire.Remote != hop.Addr || hop.Answers[0] != hop.Addr.Addr() {
				t.Errorf("resolved %v, dialled %v, spoke to %v", hop.Answers, hop.Addr, hop.Wire.Remote)
			}
			if source := m.SourceIP; source.IsValid() && hop.Wire.Local.Addr() != source {
				t.Errorf("spoke from %v, want %v", hop.Wire.Local, source)
			}
			if hop.Response.ProtoMajor != 3 || !hop.TLS.Complete || len(hop.TLS.VerifiedChains) == 0 {
				t.Errorf("response is %s, TLS %+v", hop.Response.Proto, hop.TLS)
			}
		})
	}
}

// http3Module loads a module with enable_http3 and more keys.
func http3Module(t *testing.T, keys string) *module.Module {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, faultlab.RootsPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
modules:
  h3:
    prober: http
    timeout: 10s
    http:
      enable_http2: false
      enable_http3: true
      preferred_ip_protocol: ip4
      tls_config: {ca_file: ` + ca + `}
      ` + keys + "\n"
	c, err := config.Parse([]byte(text), "h3.yml", ".")
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c.Modules["h3"]
}

// TestHTTP3Redirects: a redirect is followed over HTTP/3, unless it leads where HTTP/3 cannot go.
func TestHTTP3Redirects(t *testing.T) {
	final := faultlab.HTTP3Handler(t, faultlab.Healthy)
	for _, row := range []struct {
		name, location string
		hops           int
		want           outcome
	}{
		{"to another server", final, 2, success},
		{"to plain HTTP", "http://127.0.0.1:1/", 1,
			outcome{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}},
	} {
		t.Run(row.name, func(t *testing.T) {
			first := faultlab.HTTP3Handler(t, http.RedirectHandler(row.location, http.StatusFound))
			r := probe(t, prober.New(prober.Options{UserAgent: "errno_exporter/test"}), first, http3Module(t, ""))
			if got := outcomeOf(r.Failure); got != row.want || len(r.Last().Hops) != row.hops {
				t.Errorf("Probe = %+v in %d hops, want %+v in %d", got, len(r.Last().Hops), row.want, row.hops)
			}
		})
	}
}

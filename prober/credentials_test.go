package prober_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// own is everything that credentialModule adds to a request for the target's origin.
var own = http.Header{
	"Authorization": {"Bearer credential"},
	"Cookie":        {"own=credential"},
	"X-Harmless":    {"credential"},
	"X-Api-Key":     {"credential"},
	"X-Secret":      {"credential"},
	"X-Value":       {"credential"},
}

// credentialModule has a credential of each kind that a module can have at once, as the configuration gives it.
func credentialModule(t *testing.T, keys ...string) *module.Module {
	t.Helper()
	keys = append(keys,
		"authorization: {credentials: credential}",
		"headers: {Cookie: own=credential, X-Harmless: credential, X-Api-Key: credential, Accept: text/plain}",
		"http_headers: {X-Secret: {secrets: [credential]}, X-Value: {values: [credential]}}",
	)
	c, err := config.Parse([]byte("modules:\n"+faultlab.Module("m", ample, faultlab.RootsPEM(), keys...)), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules["m"]
}

// credentialRows are ways over origins, and all that each of them sees. OWN is the module's, complete.
var credentialRows = []struct {
	name   string
	way    string // the places, the first of them is the target
	status int
	method string
	want   []string
}{
	{"first request", "home", 302, "GET", []string{"GET OWN"}},
	{"first request over https", "https", 302, "GET", []string{"GET OWN"}},
	{"same origin", "home/home", 302, "GET", []string{"GET OWN", "GET OWN Cookie=home=1 Referer=<home>/home?q=query"}},
	{"other port", "home/port", 302, "GET", []string{"GET OWN", "GET Cookie=home=1 Referer=<home>/"}},
	{"other host", "home/host", 302, "GET", []string{"GET OWN", "GET Referer=<home>/"}},
	{"subdomain", "home/sub", 302, "GET", []string{"GET OWN", "GET Referer=<home>/"}},
	{"http to https", "home/https", 302, "GET", []string{"GET OWN", "GET Cookie=home=1 Referer=<home>/"}},
	{"https to http", "https/home", 302, "GET", []string{"GET OWN", "GET"}},
	{"https to http and back", "https/home/https", 302, "GET",
		[]string{"GET OWN", "GET", "GET Cookie=https=1; home=1 Referer=<home>/"}},
	{"back after leaving", "home/host/home", 302, "GET",
		[]string{"GET OWN", "GET Referer=<home>/", "GET Cookie=home=1 Referer=<host>/"}},
	{"within another origin", "home/host/host", 302, "GET",
		[]string{"GET OWN", "GET Referer=<home>/", "GET Cookie=host=1 Referer=<host>/host?api_key=query"}},
	{"303 of a POST, same origin", "home/home", 303, "POST",
		[]string{"POST body OWN Content-Type=text/x", "GET OWN Cookie=home=1 Referer=<home>/home?q=query"}},
	{"303 of a POST, other host", "home/host", 303, "POST",
		[]string{"POST body OWN Content-Type=text/x", "GET Referer=<home>/"}},
	{"307 of a POST, same origin", "home/home", 307, "POST",
		[]string{"POST body OWN Content-Type=text/x",
			"POST body OWN Content-Type=text/x Cookie=home=1 Referer=<home>/home?q=query"}},
	{"307 of a POST, other host", "home/host", 307, "POST",
		[]string{"POST body OWN Content-Type=text/x", "POST body Content-Type=text/x Referer=<home>/"}},
	{"303 of a POST, https to http", "https/home", 303, "POST", []string{"POST body OWN Content-Type=text/x", "GET"}},
}

// TestCredentialsStayAtTheirOrigin: each way, by each path on which requests are sent.
func TestCredentialsStayAtTheirOrigin(t *testing.T) {
	for _, path := range []struct {
		name string
		last int // status of the last answer
		keys []string
		run  func(*testing.T, *prober.Prober, prober.Target, *module.Module)
		want func(ways []string, method string) []string
	}{
		{"probe", 204, nil, probeOnce, func(way []string, _ string) []string { return way }},
		{"kept connection", 204, nil, probeIdle, func(way []string,
			_ string) []string {
			return append(slices.Clone(way), way[len(way)-1])
		}},
		{"retry", 500, []string{"retry: {attempts: 2, initial_backoff: 1ms}", "retry_non_idempotent: true"}, probeOnce,
			func(way []string, _ string) []string { return slices.Concat(way, way) }},
		{"experiments", 500, []string{"retry_non_idempotent: true"}, probeDiagnosed, diagnosed},
	} {
		for _, row := range credentialRows {
			t.Run(path.name+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, row.status, path.last)
				m := credentialModule(t, path.keys...)
				if row.method == "POST" {
					m.Method, m.Body = "POST", []byte("body")
					m.Header.Set("Content-Type", "text/x")
				}
				first, rest, _ := strings.Cut(row.way, "/")
				target, err := prober.ParseTarget(s.places[first] + "/" + rest + "?q=query#fragment")
				if err != nil {
					t.Fatal(err)
				}
				path.run(t, prober.New(prober.Options{Resolver: s.dns}), target, m)
				if diff := cmp.Diff(path.want(placed(row.way, row.want), row.method), s.lines()); diff != "" {
					t.Errorf("the servers saw (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func probeOnce(t *testing.T, p *prober.Prober, target prober.Target, m *module.Module) {
	p.Probe(t.Context(), target, m)
}

func probeIdle(t *testing.T, p *prober.Prober, target prober.Target, m *module.Module) {
	ctx, cancel := context.WithTimeout(t.Context(), ample)
	defer cancel()
	kept, _ := p.OpenIdle(ctx, target, m)
	if kept == nil {
		t.Fatal("the connection was not kept")
	}
	defer kept.Close()
	if r := kept.Probe(ctx); r.Failure != nil {
		t.Errorf("the request on the idle connection: %+v, want success", outcomeOf(r.Failure))
	}
}

func probeDiagnosed(t *testing.T, p *prober.Prober, target prober.Target, m *module.Module) {
	r := p.Probe(t.Context(), target, m)
	var kinds []result.ExperimentKind
	for _, c := range p.Diagnose(t.Context(), target, &r, m) {
		kinds = append(kinds, c.Kind)
	}
	want := []result.ExperimentKind{result.Again, result.PlainRequest}
	if m.Method == "POST" {
		want = want[:1] // a plain GET asks for something else
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("experiments %v, want %v", kinds, want)
	}
}

// diagnosed is what servers see of a failed probe and its experiments: the same again, and of a GET a plain one.
func diagnosed(way []string, method string) []string {
	all := slices.Concat(way, way)
	if method == "POST" {
		return all
	}
	for _, line := range way {
		line = strings.NewReplacer(" OWN", "", " Content-Type=text/x", "").Replace(line)
		all = append(all, line)
	}
	return all
}

// TestCredentialsOfTheURL: the password in a target's URL stays at its origin, and a Location's is sent nowhere.
func TestCredentialsOfTheURL(t *testing.T) {
	const authorized = "GET Authorization=Basic dXNlcjpwYXNzd29yZA=="
	for _, row := range []struct {
		name, way string
		want      []string
	}{
		{"same origin", "home/home", []string{authorized, authorized + " Cookie=home=1 Referer=<home>/home?q=query"}},
		{"other port", "home/port", []string{authorized, "GET Cookie=home=1 Referer=<home>/"}},
		{"back after leaving", "home/host/home", []string{authorized, "GET Referer=<home>/",
			"GET Cookie=home=1 Referer=<host>/"}},
	} {
		s := newSite(t, 302, 204)
		_, rest, _ := strings.Cut(row.way, "/")
		target, err := prober.ParseTarget(strings.Replace(s.places["home"], "://", "://user:password@", 1) + "/" +
			rest + "?q=query")
		if err != nil {
			t.Fatal(err)
		}
		probeIdle(t, prober.New(prober.Options{Resolver: s.dns}), target, labModule())
		want := placed(row.way, row.want)
		if diff := cmp.Diff(append(want, want[len(want)-1]), s.lines()); diff != "" {
			t.Errorf("%s: the servers saw (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestCredentialsThroughProxies: the proxy's password comes with each request that the proxy is sent, and with none
// inside a tunnel.
func TestCredentialsThroughProxies(t *testing.T) {
	const password = " Proxy-Authorization=Basic bGFiOnNlY3JldA=="
	for _, row := range []struct {
		name, way string
		want      []string // at the servers; the last one is asked twice
		connects  int      // CONNECTs, each with the password
	}{
		{"forwarded", "home", []string{"GET OWN" + password}, 0},
		{"forwarded to another host", "home/host",
			[]string{"GET OWN" + password, "GET" + password + " Referer=<home>/"}, 0},
		{"tunnel", "https", []string{"GET OWN"}, 1},
		{"forwarded, then a tunnel", "home/https", []string{"GET OWN" + password, "GET Cookie=home=1 Referer=<home>/"},
			1},
		{"tunnel, then forwarded", "https/home", []string{"GET OWN", "GET" + password}, 1},
	} {
		s := newSite(t, 302, 204)
		tunnels := faultlab.HTTPProxyWithPassword(t)
		m := credentialModule(t)
		forwarding := "http://" + faultlab.ProxyUser + ":" + faultlab.ProxyPassword + "@" +
			strings.TrimPrefix(s.places["home"], "http://api.lab.test")
		// the site's own server forwards: it answers for whatever host is asked
		m.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "https" {
				return url.Parse(tunnels.URL)
			}
			return url.Parse(strings.Replace(forwarding, "@:", "@127.0.0.1:", 1))
		}
		first, rest, _ := strings.Cut(row.way, "/")
		target, err := prober.ParseTarget(s.places[first] + "/" + rest)
		if err != nil {
			t.Fatal(err)
		}
		probeIdle(t, prober.New(prober.Options{Resolver: s.dns}), target, m)
		want := placed(row.way, row.want)
		if diff := cmp.Diff(append(want, want[len(want)-1]), s.lines()); diff != "" {
			t.Errorf("%s: the servers saw (-want +got):\n%s", row.name, diff)
		}
		var asked []string
		for _, r := range tunnels.Requests() {
			asked = append(asked, strings.TrimSpace(r.Method+" "+s.rest(r.Header)))
		}
		if want := slices.Repeat([]string{"CONNECT" + password}, row.connects); !slices.Equal(asked, want) {
			t.Errorf("%s: the tunnelling proxy saw %q, want %q", row.name, asked, want)
		}
	}
}

// TestCookiesAreBounded: servers that set cookies on every redirect do not make our requests grow without bound.
func TestCookiesAreBounded(t *testing.T) {
	for _, row := range []struct {
		name        string
		each, bytes int // cookies that each answer sets, and their values' length
		count, size int // of the last request's cookies, and of its header at most
	}{
		{"few", 2, 10, 20, 20 * 30},
		{"many", 40, 10, 50, 50 * 30},
		{"as large as can be", 1, 4000, 8, 33_000},
		{"too large", 1, 5000, 0, 0},
	} {
		var seen heard
		target := faultlab.Handler(t, recorderOf(&seen, func(w http.ResponseWriter, r *http.Request) {
			for i := range row.each {
				w.Header().Add("Set-Cookie", fmt.Sprintf("c%s-%d=%s; Path=/", r.URL.Path[1:], i,
					strings.Repeat("x", row.bytes)))
			}
			if len(r.URL.Path) > 10 {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			http.Redirect(w, r, r.URL.Path+"n", http.StatusFound)
		}))
		r := probe(t, prober.New(prober.Options{}), target, labModule())
		all := seen.all()
		if r.Failure != nil || len(all) != 11 {
			t.Fatalf("%s: %+v, %d requests, want 11", row.name, outcomeOf(r.Failure), len(all))
		}
		header := all[10].Header.Get("Cookie")
		if count := strings.Count(header, "="); count != row.count || len(header) > row.size {
			t.Errorf("%s: the last request has %d cookies in %d bytes, want %d in at most %d", row.name, count,
				len(header), row.count, row.size)
		}
	}
}

// TestClientCertificateStays: a redirect to another host name is not shown the module's client certificate.
func TestClientCertificateStays(t *testing.T) {
	for _, row := range []struct {
		host string
		want outcome
	}{
		{"127.0.0.1", success},
		{"localhost", outcome{result.TLS, result.TLSBadClientAuthCert, 0, result.Peer, ""}},
	} {
		wanting := strings.Replace(faultlab.ClientCertificateRequired12(t), "127.0.0.1", row.host, 1)
		m := labModule()
		m.TLS.Certificates = []tls.Certificate{faultlab.ClientCertificate()}
		r := probe(t, prober.New(prober.Options{}), faultlab.Status(t, 302, "Location", wanting), m)
		if got := outcomeOf(r.Failure); got != row.want {
			t.Errorf("%s: Probe = %+v, want %+v%s", row.host, got, row.want, evidence(&r))
		}
	}
}

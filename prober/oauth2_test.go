package prober_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// oauth2Module is a module with an oauth2 key, as the configuration makes it.
func oauth2Module(t testing.TB, tokenURL, secret string) *module.Module {
	t.Helper()
	text := fmt.Sprintf("modules: {m: {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4, oauth2: "+
		"{client_id: lab, client_secret: %s, token_url: %q}}}}", secret, tokenURL)
	c, err := config.Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules["m"]
}

// oauth2Faults are token endpoints that give none; the API behind is healthy and must not be asked.
var oauth2Faults = []struct {
	name     string
	endpoint func(faultlab.Host) string
	secret   string
	runs     int
	want     outcome
}{
	{"wrong secret", func(h faultlab.Host) string { return faultlab.NewTokenEndpoint(h, 60).URL }, "wrong", 5,
		noToken(result.AuthTokenDenied, 0, result.Peer)},
	{"endpoint 500", status(500), "secret", 5, noToken(result.AuthTokenFailed, 0, result.Peer)},
	{"endpoint refuses", faultlab.ClosedPort, "secret", 5,
		noToken(result.AuthTokenFailed, syscall.ECONNREFUSED, result.Peer)},
	{"endpoint resets", faultlab.ResetAfterRequest, "secret", raced,
		noToken(result.AuthTokenFailed, syscall.ECONNRESET, result.Peer)},
	{"endpoint answers something else", answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "secret", 5,
		noToken(result.AuthTokenFailed, 0, result.Peer)},
	{"endpoint hangs", faultlab.Silent, "secret", once, noToken(result.AuthTokenTimedOut, 0, result.Self)},
}

func noToken(reason result.Reason, errno syscall.Errno, origin result.Origin) outcome {
	return outcome{result.Request, reason, errno, origin, ""}
}

func TestOAuth2Faults(t *testing.T) {
	for _, row := range oauth2Faults {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var seen heard
			api := faultlab.Handler(t, recorderOf(&seen, fine))
			m := oauth2Module(t, row.endpoint(t), row.secret)
			if row.want.Reason == result.AuthTokenTimedOut {
				m.Timeout = patience
			}
			for range row.runs {
				r := probe(t, prober.New(prober.Options{}), api, m)
				if got := outcomeOf(r.Failure); got != row.want || len(seen.all()) != 0 {
					t.Fatalf("Probe = %+v, want %+v; the API saw %v%s", got, row.want, seen.all(), evidence(&r))
				}
				if text := r.Failure.Err.Error(); strings.Contains(text, row.secret) && row.secret != "secret" {
					t.Errorf("the error shows the secret: %s", text)
				}
			}
		})
	}
}

// TestOAuth2Tokens: a token is fetched once and kept while it is valid; one that has expired is fetched again.
func TestOAuth2Tokens(t *testing.T) {
	for _, row := range []struct {
		name    string
		seconds int // of validity; x/oauth2 counts the last ten as expired
		given   int64
		last    string
	}{
		{"valid for a minute", 60, 1, "Bearer token-1"},
		{"valid for five seconds", 5, 3, "Bearer token-3"},
	} {
		var seen heard
		api := faultlab.Handler(t, recorderOf(&seen, fine))
		endpoint := faultlab.NewTokenEndpoint(t, row.seconds)
		m := oauth2Module(t, endpoint.URL, "secret")
		p := prober.New(prober.Options{})
		for range 3 {
			if r := probe(t, p, api, m); r.Failure != nil {
				t.Fatalf("%s: Probe = %+v, want success%s", row.name, outcomeOf(r.Failure), evidence(&r))
			}
		}
		if len(seen.all()) != 3 || seen.all()[2].Header.Get("Authorization") != row.last ||
			endpoint.Given() != row.given {
			t.Errorf("%s: %d tokens given, the API saw %+v, want %d and %q at last", row.name, endpoint.Given(),
				seen.all(), row.given, row.last)
		}
	}
}

// TestOAuth2Redirects: what a token request holds stays at the origin of token_url, also where a redirect keeps its
// method and body. The API is asked only with a token.
func TestOAuth2Redirects(t *testing.T) {
	var elsewhere heard
	port, tls := faultlab.Handler(t, recorderOf(&elsewhere, giveToken)),
		faultlab.TLSHandler(t, recorderOf(&elsewhere, giveToken), "http/1.1")
	denied := faultlab.HandlerOn(t, "127.0.0.66:0", recorderOf(&elsewhere, giveToken))
	refused := noToken(result.AuthTokenFailed, 0, result.Self)
	for _, row := range []struct {
		name   string
		status int
		to     string
		want   outcome
		token  string // that the API saw
	}{
		{"307 to the same origin", 307, "/moved", success, "Bearer token"},
		{"308 to the same origin", 308, "/moved", success, "Bearer token"},
		{"307 to another port", 307, port, refused, ""},
		{"308 to another port", 308, port, refused, ""},
		{"303 to another port", 303, port, refused, ""},
		{"307 to another name", 307, strings.Replace(port, "127.0.0.1", "localhost", 1), refused, ""},
		{"307 to https", 307, tls, refused, ""},
		{"307 to a denied network", 307, denied, refused, ""},
		{"307 by way of the same origin", 307, "/again", refused, ""},
		{"307 without an end", 307, "/", refused, ""},
	} {
		var seen heard
		api := faultlab.Handler(t, recorderOf(&seen, fine))
		endpoint := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/moved":
				giveToken(w, r)
			case "/again":
				http.Redirect(w, r, port, row.status)
			default:
				http.Redirect(w, r, row.to, row.status)
			}
		}))
		target, err := prober.ParseTarget(api)
		if err != nil {
			t.Fatal(err)
		}
		target.Policy, target.Configured = &module.Networks{DenyNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.66/32")}}, true
		r := prober.New(prober.Options{}).Probe(t.Context(), target, oauth2Module(t, endpoint, "secret"))
		token := ""
		for _, s := range seen.all() {
			token += s.Header.Get("Authorization")
		}
		if got := outcomeOf(r.Failure); got != row.want || token != row.token {
			t.Errorf("%s: Probe = %+v, the API saw %q, want %+v and %q%s", row.name, got, token, row.want, row.token,
				evidence(&r))
		}
	}
	if all := elsewhere.all(); len(all) != 0 {
		t.Errorf("other origins saw %+v, want nothing", all)
	}
}

// TestOAuth2UserAgent: a token is asked for by the same name as the API, which firewalls may let in.
func TestOAuth2UserAgent(t *testing.T) {
	for _, row := range []struct {
		name, exporters string
		modules         []string
		want            string
	}{
		{"the exporter's", "errno_exporter/1", nil, "errno_exporter/1"},
		{"the module's", "errno_exporter/1", []string{"mine"}, "mine"},
		{"none", "errno_exporter/1", []string{""}, ""},
	} {
		var asked, seen heard
		api := faultlab.Handler(t, recorderOf(&seen, fine))
		m := oauth2Module(t, faultlab.Handler(t, recorderOf(&asked, giveToken)), "secret")
		if row.modules != nil {
			m.Header["User-Agent"] = row.modules
		}
		target, err := prober.ParseTarget(api)
		if err != nil {
			t.Fatal(err)
		}
		r := prober.New(prober.Options{UserAgent: row.exporters}).Probe(t.Context(), target, m)
		if r.Failure != nil || len(asked.all()) != 1 || len(seen.all()) != 1 {
			t.Fatalf("%s: Probe = %+v, want success with one token%s", row.name, outcomeOf(r.Failure), evidence(&r))
		}
		if token, request := asked.all()[0].Header.Get("User-Agent"), seen.all()[0].Header.Get("User-Agent"); token !=
			row.want || request != row.want {
			t.Errorf("%s: the token's User-Agent %q, the request's %q, want %q", row.name, token, request, row.want)
		}
	}
}

// giveToken is a token endpoint that wants the lab's secret, in the header or in the body.
func giveToken(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); password != "secret" && r.PostFormValue("client_secret") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, `{"access_token":"token","token_type":"Bearer","expires_in":60}`)
}

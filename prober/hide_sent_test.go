package prober

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// repeating is a server that gives the cookie, and repeats in each response the credentials of the request before it.
func repeating(t *testing.T, cookie string) string {
	var mu sync.Mutex
	last := "none"
	return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		defer func() {
			if sent := r.Header.Get("Authorization"); sent != "" {
				last = strings.TrimPrefix(sent, "Bearer ")
			}
		}()
		w.Header().Set("Set-Cookie", "session="+cookie+"; HttpOnly")
		w.Header().Set("X-Echo", last+" "+cookie+" "+r.URL.RawQuery)
		switch r.URL.Path {
		case "/name":
			w.Header().Set("Location", "http://"+last+".test/")
			w.WriteHeader(http.StatusFound)
			return
		case "/parameter":
			w.Header().Set("Location", "/end?token="+cookie)
			w.WriteHeader(http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprint(w, last, strings.Repeat(".", maxStoredBody-2*len(last)+3), last) // the last one is cut
	}))
}

// keyed is a module with this key.
func keyed(t *testing.T, key string) *module.Module {
	t.Helper()
	c, err := config.Parse([]byte("modules: {m: {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4, "+
		"keep_body: true, tls_config: {insecure_skip_verify: true}, "+key+"}}}"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules["m"]
}

// tokens is a token endpoint whose tokens are numbered, and live so many seconds.
func tokens(t *testing.T, prefix string, seconds int) string {
	given := 0
	return faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		given++
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"%s%d","token_type":"Bearer","expires_in":%d}`, prefix, given, seconds)
	}))
}

// Secrets that come into being at run time are masked also where the request at hand does not have them, or where there
// is none: a server keeps what it was sent.
func TestSecretsOfRunTimeAreMasked(t *testing.T) {
	const token, cookie = "t0ken-canary-", "c00kie-canary"
	resolver := faultlab.DNS(t, map[string][]netip.Addr{})
	oauth2 := func(seconds int) *module.Module {
		return keyed(t, fmt.Sprintf("oauth2: {client_id: id, client_secret: s3cret-canary, token_url: %q}",
			tokens(t, token, seconds)))
	}
	certificate, _ := faultlab.CertificateSays(t, token+"1", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
	strict := func(m *module.Module) *module.Module {
		c := *m
		c.TLS = m.TLS.Clone()
		c.TLS.InsecureSkipVerify = false
		return &c
	}
	server := repeating(t, cookie)
	for _, row := range []struct {
		name, url string
		module    *module.Module
		second    func(*module.Module) *module.Module // what the second probe is made with; nil for the same
		want      result.Reason                       // of the second probe
	}{
		{"a token", server, oauth2(3600), nil, result.HTTPError},
		{"a token, in a probe without it", server, oauth2(3600), (*module.Module).Plain, result.HTTPError},
		{"a token that has expired", server, oauth2(1), nil, result.HTTPError},
		{"a token, in a name to resolve", server + "name", oauth2(3600), nil, result.DNSNameNotResolved},
		{"a token, in a certificate that is refused", certificate, oauth2(3600), strict,
			result.TLSCertNameInvalid},
		{"a token, in GOAWAY", faultlab.H2GoAwaySays(t, "<"+token+"1>"), oauth2(3600), nil, result.H2GoAway},
		{"a cookie", server, keyed(t, "basic_auth: {username: u, password: p4ssw0rd-canary}"), nil, result.HTTPError},
		{"a redirect's parameter", server + "parameter", keyed(t, "headers: {Accept: a}"), nil, result.HTTPError},
	} {
		t.Run(row.name, func(t *testing.T) {
			u, err := url.Parse(row.url)
			if err != nil {
				t.Fatal(err)
			}
			p := New(Options{Resolver: resolver})
			target := Target{URL: u}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			p.Probe(ctx, target, row.module)
			m := row.module
			if row.second != nil {
				m = row.second(m)
			}
			r := p.Probe(ctx, target, m)
			if r.Failure == nil || r.Failure.Reason != row.want {
				t.Fatalf("the second probe: %+v, want %s", r.Failure, row.want)
			}
			seen := map[string]bool{}
			for _, secret := range []string{"-canary", strings.TrimSuffix(token, "canary-")} {
				texts(reflect.ValueOf(r.Attempts), "", secret, seen)
			}
			delete(seen, "[].Hops[].Response.Header[]") // Set-Cookie is masked by its name where it is shown
			for place := range seen {
				t.Errorf("%s has a secret", place)
			}
			echo := r.Last().LastHop().Response
			if echo != nil && strings.Contains(echo.Header.Get("X-Echo"), "canary") {
				t.Errorf("X-Echo: %s", echo.Header.Get("X-Echo"))
			}
		})
	}
}

// What a token endpoint says is not repeated: it was sent a secret, in forms that it may choose.
func TestTokenErrorsRepeatNothing(t *testing.T) {
	const secret, token = "s3cret-canary", "t0ken-canary"
	basic := base64.StdEncoding.EncodeToString([]byte("id:" + secret))
	answer := func(status, body string) string {
		return faultlab.Answer(t, fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			status, len(body), body))
	}
	for _, row := range []struct{ name, url, want string }{
		{"a code of RFC 6749", answer("401 No", `{"error":"invalid_client"}`), "status 401 invalid_client"},
		{"another code", answer("401 No", `{"error":"`+basic+`"}`), "status 401 with an error code"},
		{"a reversed secret", answer("401 No", `{"error":"yranac-terc3s"}`), "status 401 with an error code"},
		{"a reason phrase", answer("500 "+basic, ""), "status 500"},
		{"a token in the wrong place", answer("200 OK", `{"access_token":"`+token+`","expires_in":"`+token+`"}`),
			"the answer holds no token"},
		{"a token that no header can have", answer("200 OK", `{"access_token":"`+token+`\r\nX-Evil: 1"}`),
			"the answer holds no token"},
		{"a type that no header can have", answer("200 OK", `{"access_token":"`+token+`","token_type":"B\r\n"}`),
			"the answer holds no token"},
		{"a token of 64 KiB", answer("200 OK", `{"access_token":"`+strings.Repeat(token, 64<<10/len(token))+`"}`),
			"the answer holds no token"},
		{"not JSON", answer("200 OK", token), "the answer holds no token"},
		{"not HTTP", faultlab.Answer(t, "HTTP/1.1 "+token+"\r\n\r\n"), "the answer holds no token"},
		{"a header that is none", faultlab.Answer(t, "HTTP/1.1 200 OK\r\n"+token+"\r\n\r\n"), "the answer holds no token"},
		{"a redirect", faultlab.Answer(t, "HTTP/1.1 307 No\r\nLocation: http://"+secret+"\r\nContent-Length: 0\r\n\r\n"),
			"the token endpoint redirects to \"http://<hidden>\""},
	} {
		m := keyed(t, fmt.Sprintf("oauth2: {client_id: id, client_secret: %s, token_url: %q}", secret, row.url))
		u, err := url.Parse(faultlab.Handler(t, faultlab.Healthy))
		if err != nil {
			t.Fatal(err)
		}
		r := New(Options{}).Probe(t.Context(), Target{URL: u}, m)
		if r.Failure == nil || r.Failure.Err == nil || !strings.Contains(r.Failure.Err.Error(), row.want) {
			t.Errorf("%s: %+v, want %q", row.name, r.Failure, row.want)
			continue
		}
		text := r.Failure.Err.Error()
		for _, said := range []string{"canary", "yranac", basic} {
			if strings.Contains(text, said) {
				t.Errorf("%s: the error repeats it: %s", row.name, text)
			}
		}
	}
}

// The password of a proxy that the environment names is in no configuration. The proxy repeats it in its answer.
func TestSecretsOfProxiesAreMasked(t *testing.T) {
	const password = "pr0xy-canary"
	encoded := base64.StdEncoding.EncodeToString([]byte("u:" + password))
	answer := "HTTP/1.1 403 " + password + " " + encoded + "\r\nX-Echo: " + password + "\r\nContent-Length: 0\r\n\r\n"
	for _, target := range []string{"http://127.0.0.1:1/", "https://127.0.0.1:1/"} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := url.Parse(strings.Replace(faultlab.Answer(t, answer), "http://", "http://u:"+password+"@", 1))
		if err != nil {
			t.Fatal(err)
		}
		m := module.New("m")
		m.Proxy = func(*http.Request) (*url.URL, error) { return proxy, nil }
		r := New(Options{}).Probe(t.Context(), Target{URL: u}, m)
		if r.Failure == nil || r.Last().LastHop().Proxy == "" {
			t.Fatalf("%s: %+v, want a failure of the proxy", target, r.Failure)
		}
		found := map[string]bool{}
		texts(reflect.ValueOf(r.Attempts), "", "canary", found)
		texts(reflect.ValueOf(r.Attempts), "", encoded, found)
		for place := range found {
			t.Errorf("%s: %s has the password", target, place)
		}
	}
}

package prober_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// heard is what a server was sent. The wire orders nothing that the race detector knows of.
type heard struct {
	mu   sync.Mutex // guards kept
	kept []faultlab.Seen
}

func (h *heard) add(s faultlab.Seen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, s)
}

func (h *heard) all() []faultlab.Seen {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.kept)
}

// recorderOf returns a handler that answers as next does and keeps what it was sent.
func recorderOf(seen *heard, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer strings.Builder
		faultlab.Echo.ServeHTTP(&discard{w: &answer, header: http.Header{}}, r)
		var s faultlab.Seen
		if err := json.Unmarshal([]byte(answer.String()), &s); err == nil {
			seen.add(s)
		}
		next(w, r)
	})
}

// discard is a ResponseWriter that only keeps the body.
type discard struct {
	w      *strings.Builder
	header http.Header
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d *discard) WriteHeader(int)             {}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// TestWhatTheServerSees: rows change the module; %HOST stands for the server's host and port.
func TestWhatTheServerSees(t *testing.T) {
	sent := func(method, body string, length int64, header http.Header) faultlab.Seen {
		header.Set("Connection", "close")
		if header.Get("User-Agent") == "" {
			header.Set("User-Agent", "errno_exporter/test")
		}
		return faultlab.Seen{Method: method, URI: "/path?q=%2B", Proto: "HTTP/1.1", Host: "%HOST", Header: header,
			Body: body, Length: length}
	}
	for _, row := range []struct {
		name   string
		module func(*module.Module)
		want   func() faultlab.Seen
	}{
		{"defaults", asIs, func() faultlab.Seen { return sent("GET", "", 0, http.Header{}) }},
		{"own User-Agent", func(m *module.Module) { m.Header.Set("User-Agent", "mine") },
			func() faultlab.Seen { return sent("GET", "", 0, http.Header{"User-Agent": {"mine"}}) }},
		{"headers", func(m *module.Module) { m.Header.Set("X-A", "b") },
			func() faultlab.Seen { return sent("GET", "", 0, http.Header{"X-A": {"b"}}) }},
		{"Host", func(m *module.Module) { m.Host = "vhost.example" }, func() faultlab.Seen {
			s := sent("GET", "", 0, http.Header{})
			s.Host = "vhost.example"
			return s
		}},
		{"body has a Content-Length", func(m *module.Module) { m.Method, m.Body = "POST", []byte("hello") },
			func() faultlab.Seen {
				return sent("POST", "hello", 5, http.Header{"Content-Length": {"5"}})
			}},
		{"POST without a body", func(m *module.Module) { m.Method = "POST" }, func() faultlab.Seen {
			return sent("POST", "", 0, http.Header{"Content-Length": {"0"}})
		}},
		{"compression asks for nothing", gzipOf204, func() faultlab.Seen { return sent("GET", "", 0, http.Header{}) }},
	} {
		var seen heard
		target := faultlab.Handler(t, recorderOf(&seen, fine)) + "path?q=%2B"
		m := labModule()
		row.module(m)
		r := probe(t, prober.New(prober.Options{UserAgent: "errno_exporter/test"}), target, m)
		want := row.want()
		want.Host = strings.ReplaceAll(want.Host, "%HOST", r.Target.URL.Host)
		if diff := cmp.Diff([]faultlab.Seen{want}, unsigned(t, seen.all())); diff != "" || r.Failure != nil {
			t.Errorf("%s: failure %+v; the server saw (-want +got):\n%s", row.name, outcomeOf(r.Failure), diff)
		}
	}
}

func gzipOf204(m *module.Module) { m.Compression = "gzip" }

// The userinfo of a URL is sent as Authorization, unless the module's headers have one.
func TestURLCredentials(t *testing.T) {
	for _, row := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{}, "Basic dXNlcjpzZWNyZXQ="},
		{http.Header{"Authorization": {"Bearer t"}}, "Bearer t"},
	} {
		var seen heard
		target := strings.Replace(faultlab.Handler(t, recorderOf(&seen, fine)), "http://", "http://user:secret@", 1)
		m := labModule()
		m.Header = row.header
		r := probe(t, prober.New(prober.Options{}), target, m)
		if len(seen.all()) != 1 || seen.all()[0].Header.Get("Authorization") != row.want {
			t.Errorf("the server saw %+v, want Authorization %q", seen.all(), row.want)
		}
		if hop := r.Last().LastHop(); strings.Contains(hop.URL+hop.Request.URL, "secret") {
			t.Errorf("the record shows the password: %q, %q", hop.URL, hop.Request.URL)
		}
	}
}

func TestServerName(t *testing.T) {
	for _, row := range []struct {
		name   string
		target func(*prober.Target)
		module func(*module.Module)
		want   string
	}{
		{"an address has none", func(*prober.Target) {}, func(m *module.Module) { m.TLS.ServerName = "" }, ""},
		{"server_name", func(*prober.Target) {}, func(m *module.Module) { m.TLS.ServerName = "a.lab.test" },
			"a.lab.test"},
		{"Host header", func(*prober.Target) {}, func(m *module.Module) { m.Host = "b.lab.test:8443" }, "b.lab.test"},
		{"hostname parameter", func(t *prober.Target) { t.Host = "c.lab.test" },
			func(m *module.Module) { m.Host = "b.lab.test" }, "c.lab.test"},
		{"server_name beats the Host header", func(*prober.Target) {},
			func(m *module.Module) { m.TLS.ServerName, m.Host = "a.lab.test", "b.lab.test" }, "a.lab.test"},
	} {
		var seen heard
		target, err := prober.ParseTarget(faultlab.TLSHandler(t, recorderOf(&seen, fine), "http/1.1"))
		if err != nil {
			t.Fatal(err)
		}
		m := labModule()
		row.target(&target)
		row.module(m)
		r := prober.New(prober.Options{}).Probe(t.Context(), target, m)
		if r.Failure != nil || len(seen.all()) != 1 || seen.all()[0].ServerName != row.want {
			t.Errorf("%s: failure %+v, the server saw %+v, want server name %q", row.name, outcomeOf(r.Failure),
				seen.all(), row.want)
		}
	}
}

// TestRedirects: what the second server sees.
func TestRedirects(t *testing.T) {
	oat := http.Header{"Cookie": {"flavour=oat"}} // set by the first server
	for _, row := range []struct {
		name   string
		status int
		module func(*module.Module)
		want   faultlab.Seen // method, body and the headers named below
		to     string        // where the redirect leads: "port" and "host" are other ones, "origin" is the same
	}{
		{"302 repeats a GET", 302, asIs, faultlab.Seen{Method: "GET", Header: oat}, "port"},
		{"302 turns POST into GET", 302, posting, faultlab.Seen{Method: "GET", Header: oat}, "port"},
		{"303 keeps HEAD", 303, func(m *module.Module) { m.Method = "HEAD" },
			faultlab.Seen{Method: "HEAD", Header: oat}, "port"},
		{"307 repeats a POST", 307, posting, faultlab.Seen{Method: "POST", Body: "hello",
			Header: http.Header{"Content-Type": {"text/plain"}, "Cookie": {"flavour=oat"}}}, "port"},
		{"308 repeats a POST", 308, posting, faultlab.Seen{Method: "POST", Body: "hello",
			Header: http.Header{"Content-Type": {"text/plain"}, "Cookie": {"flavour=oat"}}}, "port"},
		{"credentials go along", 302, withCredentials,
			faultlab.Seen{Method: "GET", Header: http.Header{"Authorization": {"Bearer t"},
				"Cookie": {"a=b; flavour=oat"}}}, "origin"},
		{"credentials stay behind at another port", 302, withCredentials, faultlab.Seen{Method: "GET", Header: oat},
			"port"},
		{"credentials stay behind", 302, withCredentials, faultlab.Seen{Method: "GET"}, "host"},
	} {
		var seen heard
		final := faultlab.Handler(t, recorderOf(&seen, fine))
		switch row.to {
		case "host":
			final = faultlab.HandlerOn(t, "127.0.0.2:0", recorderOf(&seen, fine))
		case "origin":
			final = "/final"
		}
		target := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/final" {
				recorderOf(&seen, fine).ServeHTTP(w, r)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "flavour", Value: "oat"})
			http.Redirect(w, r, final, row.status)
		}))
		m := labModule()
		row.module(m)
		r := probe(t, prober.New(prober.Options{}), target, m)
		if r.Failure != nil || len(seen.all()) != 1 || len(r.Last().Hops) != 2 {
			t.Errorf("%s: failure %+v, %d hops, the server saw %+v", row.name, outcomeOf(r.Failure), len(r.Last().Hops),
				seen.all())
			continue
		}
		got := faultlab.Seen{Method: seen.all()[0].Method, Body: seen.all()[0].Body}
		for _, name := range []string{"Authorization", "Cookie", "Content-Type"} {
			if values := seen.all()[0].Header[name]; values != nil {
				if got.Header == nil {
					got.Header = http.Header{}
				}
				got.Header[name] = values
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: the second server saw (-want +got):\n%s", row.name, diff)
		}
		if referer := seen.all()[0].Header.Get("Referer"); referer != target {
			t.Errorf("%s: Referer %q, want %q", row.name, referer, target)
		}
	}
}

func posting(m *module.Module) {
	m.Method, m.Body = "POST", []byte("hello")
	m.Header.Set("Content-Type", "text/plain")
}

func withCredentials(m *module.Module) {
	m.Header.Set("Authorization", "Bearer t")
	m.Header.Set("Cookie", "a=b")
}

// unsigned takes away the exporter's name for itself, which every request has.
func unsigned(t *testing.T, seen []faultlab.Seen) []faultlab.Seen {
	t.Helper()
	for _, s := range seen {
		if names := s.Header[prober.ProbeHeader]; len(names) != 1 ||
			!regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(names[0]) {
			t.Errorf("%s has %q, want the name of one exporter", prober.ProbeHeader, names)
		}
		delete(s.Header, prober.ProbeHeader)
	}
	return seen
}

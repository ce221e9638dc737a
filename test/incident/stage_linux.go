// Package incident plays what ends in a page at 3 a.m.: sequences of faults over time, each with the cause that is to
// be found.
package incident

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// Incident is one script.
type Incident struct {
	Name    string
	Cause   string   // as probe_cause_info has it
	Network bool     // it needs network namespaces: the exporter runs on netlab's c
	Module  []string // keys under http: of the target's module
	Extra   string   // further keys of the configuration
	Before  string   // shell words before the exporter's command line
	Setup   func(*Stage) (url string)
	Steps   func(*Stage)
}

// Stage is where an incident is played.
type Stage struct {
	faultlab.Host
	Net    *netlab.Net   // nil unless the incident needs one
	Scrape func(n int)   // has the exporter scraped n times, one after the other
	PID    func() int    // of the exporter
	Slow   time.Duration // before each answer: noise

	handler  atomic.Pointer[http.Handler]
	mu       sync.Mutex // guards listener
	listener net.Listener
	address  string
}

// Serve begins to serve HTTP, at the server's address, healthy at first. It returns the URL.
func (s *Stage) Serve() string { return s.serve(nil) }

// ServeTLS is Serve over TLS with protocols ("h2", "http/1.1").
func (s *Stage) ServeTLS(protocols ...string) string {
	return s.serve(&tls.Config{Certificates: []tls.Certificate{faultlab.ServerCertificate()}, NextProtos: protocols})
}

func (s *Stage) serve(config *tls.Config) string {
	s.Become(faultlab.Healthy)
	s.address = "127.0.0.1:0"
	if s.Net != nil {
		s.address = netip.AddrPortFrom(netlab.V4.Addr(netlab.S), 80).String()
	}
	server := &http.Server{
		TLSConfig: config, ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			Wait(r.Context(), s.Slow)
			(*s.handler.Load()).ServeHTTP(w, r)
		}),
	}
	s.listen()
	s.address = s.listener.Addr().String()
	s.Cleanup(func() { _ = server.Close() })
	s.Cleanup(s.Stop)
	go s.accept(server)
	scheme := "http"
	if config != nil {
		scheme = "https"
	}
	return scheme + "://" + s.address + "/"
}

func (s *Stage) listen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Net != nil {
		s.listener = s.Net.Listen(netlab.S, "tcp", s.address)
		return
	}
	l, err := net.Listen("tcp4", s.address)
	if err != nil {
		s.Fatalf("listen on %s: %v", s.address, err)
	}
	s.listener = l
}

func (s *Stage) accept(server *http.Server) {
	if server.TLSConfig != nil {
		_ = server.ServeTLS(s.listener, "", "") // until it is stopped
		return
	}
	_ = server.Serve(s.listener)
}

// Stop has nothing listen any more.
func (s *Stage) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.listener.Close() // it may be closed already
}

// Become changes what the server does from now on.
func (s *Stage) Become(h http.Handler) { s.handler.Store(&h) }

// Wait is a server's delay; it ends with the client.
func Wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// What a server may become.
var (
	Silent http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })

	// Trickle sends a body a byte at a time.
	Trickle http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush() // the client's end is the client's business
			Wait(r.Context(), 20*time.Millisecond)
		}
	})

	// Closing closes the connection instead of an answer.
	Closing http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err) // only over HTTP/2
		}
		_ = conn.Close() // in order: the request has been read
	})
)

// Delayed answers after a time.
func Delayed(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Wait(r.Context(), d)
		faultlab.Healthy.ServeHTTP(w, r)
	})
}

// Answers answers with a status.
func Answers(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// names is a name server on loopback that knows api.lab.test.
func (s *Stage) names(addresses ...string) string {
	parsed := make([]netip.Addr, len(addresses))
	for i, text := range addresses {
		parsed[i] = netip.MustParseAddr(text)
	}
	return faultlab.DNS(s, map[string][]netip.Addr{"api.lab.test": parsed})
}

// named is an URL with api.lab.test in the place of its host.
func named(url string) string {
	var port int
	if _, err := fmt.Sscanf(url, "http://127.0.0.1:%d/", &port); err != nil {
		panic(err)
	}
	return fmt.Sprintf("http://api.lab.test:%d/", port)
}

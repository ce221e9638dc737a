package prober_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// TestFlights: tls lasts until the server's flights arrive, however late this side reads and computes; and what the
// server sends after the handshake is not in it. All bounds are lower ones: a busy machine makes everything longer.
func TestFlights(t *testing.T) {
	t.Parallel()
	const slow, computing = 50 * time.Millisecond, 200 * time.Millisecond
	both := []int{1, 4}
	tickets := func(c *tls.Config) { c.SessionTicketsDisabled = false }
	retry := func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} }
	older := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	for _, row := range []struct {
		name      string
		server    func(*tls.Config)
		flights   []time.Duration // what the server waits before each of its flights
		certified time.Duration   // what this side computes for its certificate, with the server's flight read
		verifying time.Duration   // what it computes while the end of the server's flight is there to be read
		tls       time.Duration   // at least
		own       time.Duration   // at least, outside of all phases
		after     time.Duration   // at least, after tls
		probes    []int           // at a time: among others sending is timestamped, too
	}{
		{"the server is slow", nil, []time.Duration{slow}, 0, 0, slow, 0, 0, both},
		{"this side is slow", nil, nil, computing, 0, 0, computing, 0, both},
		{"both are slow", nil, []time.Duration{slow}, computing, 0, slow, computing, 0, both},
		{"this side reads late", nil, []time.Duration{slow}, 0, computing, slow, computing, 0, []int{1}},
		{"HelloRetryRequest, the server is slow", retry, []time.Duration{slow, slow}, 0, 0, 2 * slow, 0, 0, both},
		{"HelloRetryRequest, this side is slow", retry, nil, computing, 0, 0, computing, 0, both},
		{"TLS 1.2, the server is slow", older, []time.Duration{slow, slow}, 0, 0, 2 * slow, 0, 0, both},
		{"TLS 1.2, this side is slow", older, nil, computing, 0, 0, computing, 0, both},
		{"the ticket comes late", tickets, []time.Duration{0, computing}, 0, 0, 0, 0, computing, both},
	} {
		for _, probes := range row.probes {
			t.Run(fmt.Sprintf("%s, %d at a time", row.name, probes), func(t *testing.T) {
				t.Parallel()
				server := &slowListener{flights: row.flights, wantsTail: row.verifying > 0,
					verifying: make(chan struct{}), tails: make(chan struct{})}
				url := server.serve(t, row.server)
				m := module.New("flights")
				m.TLS = &tls.Config{InsecureSkipVerify: true,
					VerifyConnection: func(tls.ConnectionState) error {
						if row.verifying > 0 {
							server.verifying <- struct{}{}
							<-server.tails
						}
						time.Sleep(row.verifying)
						return nil
					},
					GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
						time.Sleep(row.certified)
						return new(tls.Certificate), nil
					}}
				p := prober.New(prober.Options{UserAgent: "test"})
				var probing sync.WaitGroup
				for range probes {
					probing.Go(func() {
						r := probe(t, p, url, m)
						if r.Failure != nil {
							t.Errorf("Probe(%s): %v", url, r.Failure.Err)
							return
						}
						handshake, _ := r.Last().LastHop().Span(result.TLS)
						own := r.Last().Elapsed
						for _, s := range r.Last().LastHop().Spans {
							own -= s.Duration
						}
						after := r.Last().Elapsed - handshake.Start - handshake.Duration
						if handshake.Duration < row.tls || own < row.own || after < row.after {
							t.Errorf("tls took %s, want at least %s; own delay %s, want at least %s; %s after tls, want at "+
								"least %s: %+v", handshake.Duration, row.tls, own, row.own, after, row.after,
								r.Last().LastHop().Spans)
						}
					})
				}
				probing.Wait()
			})
		}
	}
}

// slowListener has connections that wait before they send.
type slowListener struct {
	net.Listener
	flights   []time.Duration // before each flight
	wantsTail bool            // the end of the first flight is sent while the client verifies the certificate
	verifying chan struct{}   // the client does
	tails     chan struct{}   // the end was sent
}

// serve serves HTTPS. It asks for a client's certificate, so that session tickets come after the handshake, if it sends
// them.
func (l *slowListener) serve(t *testing.T, change func(*tls.Config)) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{faultlab.ServerCertificate()},
		ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true}
	if change != nil {
		change(server.TLS)
	}
	l.Listener, server.Listener = server.Listener, l
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func (l *slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &slowConn{Conn: conn, of: l}, err
}

// slowConn waits before the first write after a read.
type slowConn struct {
	net.Conn
	of *slowListener

	mu    sync.Mutex // guards what follows
	begun int        // flights
	heard bool       // something was read since the last write
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = c.heard || n > 0
	return n, err
}

// tailBytes are less than a Finished message.
const tailBytes = 20

func (c *slowConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heard {
		c.heard = false
		if c.begun++; c.begun <= len(c.of.flights) {
			time.Sleep(c.of.flights[c.begun-1])
		}
	}
	if c.begun > 1 || !c.of.wantsTail {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:len(p)-tailBytes])
	<-c.of.verifying
	rest, err2 := c.Conn.Write(p[len(p)-tailBytes:])
	c.of.tails <- struct{}{}
	return n + rest, errors.Join(err, err2)
}

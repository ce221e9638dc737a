package prober

import (
	"crypto/tls"
	"errors"
	"math"
	"net"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// secure does the TLS handshake with the target.
func (h *hop) secure(host string) error {
	began := h.attempt.elapsed()
	times := h.beginHandshake()
	g := h.newGate(h.stream)
	config := h.tlsConfig(host)
	h.named = h.attempt.hello.apply(config)
	conn, state, err := g.handshake(config, h)
	h.TLS = state
	h.Waited += g.waited
	if err != nil {
		h.close()
		h.fail(result.TLS, began, h.classified(result.TLS, err))
		return err
	}
	if g.ahead != nil {
		h.socket.ReadBeyond()
	}
	took := times(began+g.queued, h.attempt.elapsed()-(g.waited-g.queued))
	h.stream = conn
	if f := h.checkRevoked(conn.OCSPResponse()); f != nil {
		h.close()
		h.failAt(result.TLS, took.Began, took.Began+took.Took, *f)
		return f.Err
	}
	h.doneWithin(result.TLS, took.Began, took.Began+took.Took, took.Doubt)
	return nil
}

// beginHandshake begins to measure a handshake. What is returned ends that, given when the handshake began and ended by
// the clock: it took that time where the kernel's timestamps are not known, or are those of a TLS connection to a proxy
// around this one.
func (h *hop) beginHandshake() func(began, ended time.Duration) socket.Flights {
	if h.stream != h.socket || !h.socket.Stamped() {
		return func(began, ended time.Duration) socket.Flights {
			return socket.Flights{Began: began, Took: ended - began, Doubt: ended - began}
		}
	}
	if h.socket.BeginFlights(); h.attempt.prober.crowded() {
		h.socket.StampFlights()
	}
	return func(time.Duration, time.Duration) socket.Flights { return h.socket.EndFlights() }
}

// handshake is one that computes in turn with others.
func (g *gate) handshake(c *tls.Config, h *hop) (*tlsConn, *result.TLSState, error) {
	defer h.attempt.prober.over(g)
	if err := g.enter(); err != nil {
		return nil, nil, err
	}
	g.queued = g.waited
	return handshake(h.attempt.hello.over(g, c.ServerName), c, h)
}

// tlsConfig is the module's TLS configuration for one host. A configured server_name, and a Host override, are meant
// for the target itself: a redirect to another host is verified against that host's own name.
func (h *hop) tlsConfig(host string) *tls.Config {
	c := h.attempt.module.TLS.Clone()
	ours := h.toTarget()
	if c.ServerName != "" && ours {
		return c
	}
	if !ours {
		withholdCertificate(c)
	}
	c.ServerName = host
	if override := h.attempt.hostOverride(); override != "" && ours {
		c.ServerName = withoutPort(override)
	}
	return c
}

// handshake speaks TLS over a connection. The state is returned also when the handshake failed, as far as it got; nil
// if the peer showed nothing.
func handshake(over net.Conn, c *tls.Config, h *hop) (*tlsConn, *result.TLSState, error) {
	asked := watchClientCertificate(c)
	found := h.attempt.prober.verified.watch(c)
	if h.named != nil {
		found = h.named
	}
	h.requirePins(c, found)
	records := &tlsRecords{Conn: over, budget: h.socket.Floods().Layer("TLS records", flood.FreeUnits, flood.UnitPrice)}
	conn := &tlsConn{tls.Client(records, c), records.budget, records}
	records.single.Store(math.MaxInt32) // so that nothing beyond the handshake is read
	err := conn.Handshake()
	records.single.Store(0)
	bad, _ := errors.AsType[*tls.CertificateVerificationError](err)
	state := tlsState(conn.ConnectionState(), c, bad)
	state.ClientCertAsked = *asked
	if found != nil {
		state.VerifiedChains = *found
	}
	if err == nil {
		return conn, state, nil
	}
	state.Complete = false
	state.Alert, _ = classify.RemoteAlert(err)
	return nil, state, err
}

// watchClientCertificate makes a configuration tell whether the server asked for a client certificate.
func watchClientCertificate(c *tls.Config) *bool {
	asked := new(bool)
	choose := c.GetClientCertificate
	c.GetClientCertificate = func(info *tls.CertificateRequestInfo) (chosen *tls.Certificate, err error) {
		defer guard.Catch(&err)
		*asked = true
		if choose != nil {
			return choose(info)
		}
		for i := range c.Certificates {
			if info.SupportsCertificate(&c.Certificates[i]) == nil {
				return &c.Certificates[i], nil
			}
		}
		return new(tls.Certificate), nil // none, as crypto/tls does by itself
	}
	return asked
}

// tlsState is what a handshake showed. bad is what verification refused, if it did.
func tlsState(cs tls.ConnectionState, c *tls.Config, bad *tls.CertificateVerificationError) *result.TLSState {
	state := &result.TLSState{
		Version: cs.Version, CipherSuite: cs.CipherSuite, Group: uint16(cs.CurveID),
		ServerName: c.ServerName, ALPN: cs.NegotiatedProtocol,
		Chain: cs.PeerCertificates, VerifiedChains: cs.VerifiedChains, Complete: cs.HandshakeComplete,
	}
	if bad != nil {
		state.Chain = bad.UnverifiedCertificates
	}
	return state
}

// tlsRecords is what a TLS connection is spoken over. Its incoming records are counted, by their headers alone (RFC
// 8446 section 5.1): tickets, key updates, warnings and empty records cost the same as those with data. crypto/tls
// itself ends sixteen of them in a row, but not one byte of data after each fifteenth.
type tlsRecords struct {
	net.Conn
	budget *flood.Budget
	head   [tlsRecordHeader]byte // of the record under way
	have   int                   // bytes of it
	rest   int                   // bytes of its content still to come
	single atomic.Int32          // how many more reads end where a record does
}

// tlsRecordHeader is the length of a record's type, version and length.
const tlsRecordHeader = 5

// singleReads is how many reads at most end where a record does: two for each of the few records before a response.
const singleReads = 32

// readSingly makes reads end where a record does until the response has begun. The kernel reports of a read when its
// last packet arrived: of a response and what follows it at once, such as close_notify, that would be the latter's
// time.
func (r *tlsRecords) readSingly() { r.single.Store(singleReads) }

// withinRecord is as much of a buffer as the record under way, or its header, fills.
func (r *tlsRecords) withinRecord(p []byte) []byte {
	if r.rest > 0 {
		return p[:min(len(p), r.rest)]
	}
	return p[:min(len(p), tlsRecordHeader-r.have)]
}

func (r *tlsRecords) Read(p []byte) (int, error) {
	if r.single.Load() > 0 && r.single.Add(-1) >= 0 {
		p = r.withinRecord(p)
	}
	n, err := r.Conn.Read(p)
	if records := r.count(p[:n]); records > 0 {
		if flood := r.budget.Charge(records, 0); flood != nil {
			return 0, flood
		}
	}
	return n, err
}

// count is how many records begin in the bytes.
func (r *tlsRecords) count(p []byte) (records int64) {
	for len(p) > 0 {
		if r.rest > 0 {
			take := min(r.rest, len(p))
			p, r.rest = p[take:], r.rest-take
			continue
		}
		took := copy(r.head[r.have:], p)
		p, r.have = p[took:], r.have+took
		if r.have == tlsRecordHeader {
			r.have, r.rest = 0, int(r.head[3])<<8|int(r.head[4])
			records++
		}
	}
	return records
}

// tlsConn is a TLS connection whose records are compared with what they bring.
type tlsConn struct {
	*tls.Conn
	records *flood.Budget
	reads   *tlsRecords
}

func (c *tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if flood := c.records.Charge(0, int64(n)); flood != nil {
		return 0, flood
	}
	if err != nil && classify.UselessRecords(err) {
		return n, c.records.Overdraw()
	}
	return n, err
}

package prober

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"reflect"
	"strings"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
)

// secure does the TLS handshake with the target.
func (h *hop) secure(host string) error {
	began := h.attempt.elapsed()
	g := h.newGate(h.stream)
	conn, state, err := g.handshake(h.tlsConfig(host), h)
	h.TLS = state
	h.Waited += g.waited
	if err != nil {
		h.close()
		h.fail(result.TLS, began, h.classified(result.TLS, err))
		return err
	}
	direct := h.stream == h.socket
	h.stream = conn
	began, ended := h.handshakeTimes(direct, began+g.queued, h.attempt.elapsed())
	h.done(result.TLS, began, ended-(g.waited-g.queued))
	return nil
}

// handshakeTimes are when our first message left, and when our last left or the peer's last arrived: what we compute before and after is not the
// handshake's time. They are the clock's where the kernel's are not known.
func (h *hop) handshakeTimes(direct bool, began, ended time.Duration) (from, to time.Duration) {
	if !direct || h.socket.stamps == nil {
		return began, ended
	}
	read, sent := h.socket.times()
	return max(began, h.socket.firstWrite()), min(ended, max(read, sent))
}

// handshake is one that computes in turn with others.
func (g *gate) handshake(c *tls.Config, h *hop) (*tlsConn, *result.TLSState, error) {
	defer h.attempt.prober.over(g)
	if err := g.enter(); err != nil {
		return nil, nil, err
	}
	g.queued = g.waited
	return handshake(g, c, h)
}

// tlsConfig is the module's TLS configuration for one host. A configured server_name, and a Host override, are meant for the
// target itself: a redirect to another host is verified against that host's own name.
func (h *hop) tlsConfig(host string) *tls.Config {
	c := h.attempt.module.TLS.Clone()
	ours := strings.EqualFold(h.request.URL.Hostname(), h.attempt.target.URL.Hostname())
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

// handshake speaks TLS over a connection. The state is returned also when the handshake failed, as far as it got; nil if the peer
// showed nothing.
func handshake(over net.Conn, c *tls.Config, h *hop) (*tlsConn, *result.TLSState, error) {
	asked := watchClientCertificate(c)
	found := h.attempt.prober.verified.watch(c)
	records := &tlsRecords{Conn: over, budget: h.socket.floods.layer("TLS records", freeUnits, unitPrice)}
	conn := &tlsConn{tls.Client(records, c), records.budget}
	err := conn.Handshake()
	bad, _ := errors.AsType[*tls.CertificateVerificationError](err)
	state := tlsState(conn.ConnectionState(), c, *asked, bad)
	if found != nil {
		state.VerifiedChains = *found
	}
	if err == nil {
		return conn, state, nil
	}
	state.Complete = false
	state.Alert, _ = remoteAlert(err)
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
func tlsState(cs tls.ConnectionState, c *tls.Config, asked bool, bad *tls.CertificateVerificationError) *result.TLSState {
	state := &result.TLSState{
		Version: cs.Version, CipherSuite: cs.CipherSuite, ServerName: c.ServerName, ALPN: cs.NegotiatedProtocol,
		Chain: cs.PeerCertificates, VerifiedChains: cs.VerifiedChains, Complete: cs.HandshakeComplete, ClientCertAsked: asked,
	}
	if bad != nil {
		state.Chain = bad.UnverifiedCertificates
	}
	return state
}

// TLS alerts (RFC 8446 section 6) that have a reason of their own, or decide one.
const (
	alertCloseNotify         = 0
	alertHandshakeFailure    = 40
	alertBadCertificate      = 42
	alertUnsupportedCert     = 43
	alertRevoked             = 44
	alertCertExpired         = 45
	alertCertUnknown         = 46
	alertUnknownCA           = 48
	alertAccessDenied        = 49
	alertProtocolVersion     = 70
	alertInsufficientSec     = 71
	alertUnrecognizedName    = 112
	alertCertRequired        = 116
	alertNoApplicationProtol = 120
)

// remoteAlert is the number of the alert that the peer sent. crypto/tls hides it over TCP: the error is a *net.OpError with Op
// "remote error" around an unexported uint8 (crypto/tls conn.go); tls.AlertError matches only over QUIC.
func remoteAlert(err error) (uint8, bool) { return alert(err, "remote error") }

// localAlert is the number of the alert that we sent.
func localAlert(err error) (uint8, bool) { return alert(err, "local error") }

func alert(err error, op string) (uint8, bool) {
	for err != nil {
		if e, ok := err.(*net.OpError); ok && e.Op == op && e.Err != nil {
			if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Uint8 {
				return uint8(v.Uint()), true
			}
		}
		err = errors.Unwrap(err)
	}
	return 0, false
}

// reasonOfAlert names the peer's alert. asked: the peer had asked for a client certificate. After the handshake only the client's
// certificate can still be refused (TLS 1.3).
func reasonOfAlert(number uint8, asked bool) result.Reason {
	switch number {
	case alertCertRequired:
		return result.TLSBadClientAuthCert
	case alertBadCertificate, alertUnsupportedCert, alertRevoked, alertCertExpired, alertCertUnknown, alertUnknownCA, alertAccessDenied:
		if asked {
			return result.TLSBadClientAuthCert
		}
	case alertHandshakeFailure:
		if asked {
			return result.TLSBadClientAuthCert
		}
		return result.TLSVersionOrCipherMismatch
	case alertProtocolVersion, alertInsufficientSec:
		return result.TLSVersionOrCipherMismatch
	case alertUnrecognizedName:
		return result.TLSUnrecognizedName
	case alertNoApplicationProtol:
		return result.TLSALPNMismatch
	}
	return result.TLSProtocolError
}

// reasonOfCertificate names a certificate that we refused.
func reasonOfCertificate(err error) (result.Reason, bool) {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return result.TLSCertNameInvalid, true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return result.TLSCertAuthorityInvalid, true
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired { // also "not yet valid"
			return result.TLSCertDateInvalid, true
		}
		return result.TLSCertInvalid, true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return result.TLSCertInvalid, true
	}
	return "", false
}

// classifyTLS names what a TLS layer said about a failure of its own, during the handshake or after it. It does not look at the
// transport.
func classifyTLS(err error, state *result.TLSState) (result.Reason, result.Origin, bool) {
	asked := state != nil && state.ClientCertAsked
	if number, ok := remoteAlert(err); ok && number != alertCloseNotify {
		return reasonOfAlert(number, asked), result.Peer, true
	}
	if reason, ok := reasonOfCertificate(err); ok {
		return reason, result.Self, true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return result.TLSNotTLS, result.Peer, true
	}
	if _, ok := localAlert(err); ok {
		return result.TLSProtocolError, result.Peer, true
	}
	return classifyTLSText(err)
}

// tlsTexts are errors that crypto/tls makes by errors.New, so that only their text tells (handshake_client.go,
// handshake_client_tls13.go). A test provokes each.
var tlsTexts = []struct {
	text   string
	reason result.Reason
}{
	{"server selected unsupported protocol version", result.TLSVersionOrCipherMismatch},
	{"unconfigured cipher suite", result.TLSVersionOrCipherMismatch},
	{"no supported versions satisfy", result.TLSVersionOrCipherMismatch},
	{"server selected unadvertised ALPN protocol", result.TLSALPNMismatch},
	{"failed to parse certificate from server", result.TLSCertInvalid},
	{"too many ignored records", result.PeerFlood},
	{"too many non-advancing records", result.PeerFlood},
}

// uselessRecords reports whether crypto/tls gave up after sixteen records in a row that brought nothing.
func uselessRecords(err error) bool {
	reason, _, _ := classifyTLSText(err)
	return reason == result.PeerFlood
}

func classifyTLSText(err error) (result.Reason, result.Origin, bool) {
	text := err.Error()
	if !strings.Contains(text, "tls: ") {
		return "", "", false
	}
	for _, row := range tlsTexts {
		if strings.Contains(text, row.text) {
			return row.reason, result.Self, true
		}
	}
	return result.TLSFailed, result.Peer, true
}

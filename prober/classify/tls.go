package classify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"reflect"
	"strings"

	"errno_exporter/prober/result"
)

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

// RemoteAlert is the number of the alert by which the peer reports a failure; close_notify reports none. crypto/tls
// hides it over TCP: the error is a *net.OpError with Op "remote error" around an unexported uint8 (crypto/tls
// conn.go); tls.AlertError matches only over QUIC.
func RemoteAlert(err error) (uint8, bool) {
	number, _ := alert(err, "remote error")
	return number, number != alertCloseNotify
}

// localAlert is the number of the alert that we sent.
func localAlert(err error) (uint8, bool) { return alert(err, "local error") }

func alert(err error, op string) (uint8, bool) {
	for err != nil {
		if e, ok := err.(*net.OpError); ok && e.Op == op {
			if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Uint8 {
				return uint8(v.Uint()), true
			}
		}
		err = errors.Unwrap(err)
	}
	return 0, false
}

// reasonOfAlert names the peer's alert. asked: the peer had asked for a client certificate. After the handshake only
// the client's certificate can still be refused (TLS 1.3).
func reasonOfAlert(number uint8, asked bool) result.Reason {
	switch number {
	case alertCertRequired:
		return result.TLSBadClientAuthCert
	case alertBadCertificate, alertUnsupportedCert, alertRevoked, alertCertExpired, alertCertUnknown, alertUnknownCA,
		alertAccessDenied:
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
	if _, ok := errors.AsType[*result.PinError](err); ok {
		return result.TLSCertPinned, true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return result.TLSCertInvalid, true
	}
	return "", false
}

// classifyTLS names what a TLS layer said about a failure of its own, during the handshake or after it. It does not
// look at the transport.
func classifyTLS(err error, state *result.TLSState) (result.Reason, result.Origin, bool) {
	asked := state != nil && state.ClientCertAsked
	if number, ok := RemoteAlert(err); ok {
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

// UselessRecords reports whether crypto/tls gave up after sixteen records in a row that brought nothing.
func UselessRecords(err error) bool {
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

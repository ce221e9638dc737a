package classify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"

	"errno_exporter/prober/result"
)

// alertNumber stands for crypto/tls' own unexported type of an alert.
type alertNumber uint8

func (a alertNumber) Error() string { return fmt.Sprintf("tls: alert(%d)", uint8(a)) }

// remote nests an alert as crypto/tls nests the peer's, local as it nests its own.
func remote(number uint8) error {
	return fmt.Errorf("hop: %w", &net.OpError{Op: "remote error", Err: alertNumber(number)})
}

func local(number uint8) error { return &net.OpError{Op: "local error", Err: alertNumber(number)} }

func TestClassifyTLS(t *testing.T) {
	asked := &result.TLSState{ClientCertAsked: true}
	certificate := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for _, row := range []struct {
		name  string
		err   error
		state *result.TLSState
		want  verdict
	}{
		{"certificate required", remote(alertCertRequired), nil, peer(result.TLSBadClientAuthCert)},
		{"bad certificate", remote(alertBadCertificate), asked, peer(result.TLSBadClientAuthCert)},
		{"unsupported certificate", remote(alertUnsupportedCert), asked, peer(result.TLSBadClientAuthCert)},
		{"revoked certificate", remote(alertRevoked), asked, peer(result.TLSBadClientAuthCert)},
		{"expired certificate", remote(alertCertExpired), asked, peer(result.TLSBadClientAuthCert)},
		{"unknown certificate", remote(alertCertUnknown), asked, peer(result.TLSBadClientAuthCert)},
		{"unknown authority", remote(alertUnknownCA), asked, peer(result.TLSBadClientAuthCert)},
		{"access denied", remote(alertAccessDenied), asked, peer(result.TLSBadClientAuthCert)},
		{"bad certificate, none requested", remote(alertBadCertificate), &result.TLSState{},
			peer(result.TLSProtocolError)},
		{"handshake failure", remote(alertHandshakeFailure), nil, peer(result.TLSVersionOrCipherMismatch)},
		{"handshake failure after a request for a certificate", remote(alertHandshakeFailure), asked,
			peer(result.TLSBadClientAuthCert)},
		{"protocol version", remote(alertProtocolVersion), nil, peer(result.TLSVersionOrCipherMismatch)},
		{"insufficient security", remote(alertInsufficientSec), nil, peer(result.TLSVersionOrCipherMismatch)},
		{"unrecognized name", remote(alertUnrecognizedName), nil, peer(result.TLSUnrecognizedName)},
		{"no application protocol", remote(alertNoApplicationProtol), nil, peer(result.TLSALPNMismatch)},
		{"internal error", remote(80), asked, peer(result.TLSProtocolError)},
		{"our own alert", local(50), nil, peer(result.TLSProtocolError)},
		{"an alert of a type that is no number", &net.OpError{Op: "remote error", Err: errors.New("?")}, nil,
			peer(result.HTTPFailed)},
		{"another operation's number", &net.OpError{Op: "read", Err: alertNumber(alertUnrecognizedName)}, nil,
			peer(result.TLSFailed)},
		{"another name", certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}), nil,
			self(result.TLSCertNameInvalid)},
		{"unknown root", certificate(x509.UnknownAuthorityError{}), nil, self(result.TLSCertAuthorityInvalid)},
		{"expired", certificate(x509.CertificateInvalidError{Reason: x509.Expired}), nil,
			self(result.TLSCertDateInvalid)},
		{"no authority", certificate(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), nil,
			self(result.TLSCertInvalid)},
		{"another fault of a certificate", certificate(errors.New("?")), nil, self(result.TLSCertInvalid)},
		{"no TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, nil,
			peer(result.TLSNotTLS)},
		{"an old version", errors.New("tls: server selected unsupported protocol version 301"), nil,
			self(result.TLSVersionOrCipherMismatch)},
		{"a cipher suite that was not offered", errors.New("tls: server chose an unconfigured cipher suite"), nil,
			self(result.TLSVersionOrCipherMismatch)},
		{"versions that exclude each other", errors.New("tls: no supported versions satisfy MinVersion and MaxVersion"),
			nil, self(result.TLSVersionOrCipherMismatch)},
		{"a protocol that was not offered", errors.New("tls: server selected unadvertised ALPN protocol"), nil,
			self(result.TLSALPNMismatch)},
		{"a certificate that does not parse", errors.New("tls: failed to parse certificate from server: ?"), nil,
			self(result.TLSCertInvalid)},
		{"records that do not advance", errors.New("tls: too many non-advancing records"), nil, self(result.PeerFlood)},
		{"another text of TLS", errors.New("tls: ?"), nil, peer(result.TLSFailed)},
		{"records that bring nothing", errors.New("tls: too many ignored records"), nil, self(result.PeerFlood)},
		{"a text that is not TLS'", errors.New("too many ignored records"), nil, peer(result.HTTPFailed)},
	} {
		compareFailure(t, row.name, &Evidence{Step: StepStream, Phase: result.TLS, Err: row.err, TLS: row.state,
			Handshaking: true}, row.want)
	}
}

package classify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/net/http2"

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

// compareFailure compares what Failure returns for evidence with a row.
func compareFailure(t *testing.T, name string, e *Evidence, want verdict) {
	t.Helper()
	if e.Wire == nil {
		e.Wire = &result.Wire{}
	}
	f := Failure(e)
	if got := (verdict{f.Reason, f.Errno, f.Origin}); got != want {
		t.Errorf("%s: Failure = %v, want %v", name, got, want)
	}
}

func peer(reason result.Reason) verdict { return verdict{reason, 0, result.Peer} }
func self(reason result.Reason) verdict { return verdict{reason, 0, result.Self} }

func TestClassifyAuthorize(t *testing.T) {
	broken := errors.New("oauth2: cannot fetch token")
	refused := dialError(syscall.ECONNREFUSED)
	for _, row := range []struct {
		name  string
		token *TokenAnswer
		err   error
		ended Ending
		want  verdict
	}{
		{"a secret's file is missing", nil, os.ErrNotExist, Running, self(result.ProbeConfig)},
		{"we end it", &TokenAnswer{Status: 302, Refused: true}, broken, Running, self(result.AuthTokenFailed)},
		{"400", &TokenAnswer{Status: 400}, broken, Running, peer(result.AuthTokenDenied)},
		{"401", &TokenAnswer{Status: 401}, broken, Running, peer(result.AuthTokenDenied)},
		{"499", &TokenAnswer{Status: 499}, broken, Running, peer(result.AuthTokenDenied)},
		{"399", &TokenAnswer{Status: 399}, broken, Running, peer(result.AuthTokenFailed)},
		{"500", &TokenAnswer{Status: 500}, broken, Running, peer(result.AuthTokenFailed)},
		{"no answer in time", &TokenAnswer{}, os.ErrDeadlineExceeded, Deadline, self(result.AuthTokenTimedOut)},
		{"no answer", &TokenAnswer{}, broken, Running, peer(result.AuthTokenFailed)},
		{"refused, at the deadline", &TokenAnswer{}, refused, Deadline,
			verdict{result.AuthTokenFailed, syscall.ECONNREFUSED, result.Peer}},
		{"cancelled", &TokenAnswer{}, broken, Cancelled, self(result.Abandoned)},
	} {
		compareFailure(t, row.name, &Evidence{Step: StepAuthorize, Token: row.token, Err: row.err, Ended: row.ended},
			row.want)
	}
}

func TestClassifyStream(t *testing.T) {
	reset := &result.Event{Errno: syscall.ECONNRESET, End: 10}
	aborted := &result.Event{Errno: syscall.ENETUNREACH}
	late := &result.Event{Errno: syscall.ECONNRESET, End: 30}
	closed := errors.New("use of closed network connection")
	http := func(text string) error { return errors.New("net/http: " + text) }
	for _, row := range []struct {
		name string
		e    Evidence
		want verdict
	}{
		{"a reset", Evidence{Wire: &result.Wire{Cause: reset}},
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"no network while retransmitting", Evidence{Wire: &result.Wire{Cause: aborted}},
			verdict{result.TCPAborted, syscall.ENETUNREACH, result.Path}},
		{"an end without TCP_INFO", Evidence{Wire: &result.Wire{Cause: &result.Event{EOF: true}}}, peer(result.TCPClosed)},
		{"a reset before our deadline", Evidence{Wire: &result.Wire{Cause: reset}, Ended: Deadline, EndedAt: 20},
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"a reset after our deadline", Evidence{Wire: &result.Wire{Cause: late}, Ended: Deadline, EndedAt: 20,
			Phase: result.Processing}, self(result.HTTPResponseTimedOut)},
		{"a reset before we were cancelled", Evidence{Wire: &result.Wire{Cause: reset}, Ended: Cancelled, EndedAt: 20},
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"a reset after we were cancelled", Evidence{Wire: &result.Wire{Cause: late}, Ended: Cancelled, EndedAt: 20},
			self(result.Abandoned)},
		{"cancelled", Evidence{Ended: Cancelled}, self(result.Abandoned)},
		{"our deadline", Evidence{Ended: Deadline, Phase: result.Request}, self(result.TCPStalled)},
		{"our deadline in the handshake", Evidence{Ended: Deadline, Phase: result.TLS, Handshaking: true},
			self(result.TLSTimedOut)},
		{"a flood", Evidence{Flood: &FloodError{Unit: "frames"}, Wire: &result.Wire{Cause: reset}},
			self(result.PeerFlood)},
		{"a head beyond our bound", Evidence{Err: TooLarge("too large"), Wire: &result.Wire{Cause: reset}},
			self(result.HTTPHeadersTooLarge)},
		{"a proxy's refusal", Evidence{Err: &Refusal{Reason: result.ProxyAuthRequired},
			Wire: &result.Wire{Cause: reset}}, peer(result.ProxyAuthRequired)},
		{"a broken encoding", Evidence{Err: &DecodeError{io.ErrUnexpectedEOF}, Wire: &result.Wire{Cause: reset}},
			peer(result.HTTPResponseInvalid)},
		{"close_notify in the handshake", Evidence{Err: io.EOF, WantsTLS: true}, peer(result.TCPClosed)},
		{"end of a plain stream", Evidence{Err: io.EOF}, peer(result.HTTPFailed)},
		{"close_notify instead of a response", Evidence{Err: io.ErrUnexpectedEOF, Encrypted: true, WantsTLS: true,
			TLSEnd: io.EOF}, peer(result.TCPClosed)},
		{"the TLS layer did not end", Evidence{Err: io.ErrUnexpectedEOF, Encrypted: true, WantsTLS: true,
			TLSEnd: closed}, peer(result.HTTPFailed)},
		{"a short body over TLS", Evidence{Err: io.EOF, Encrypted: true, TLSEnd: io.EOF, Responded: true,
			Phase: result.Transfer}, peer(result.TCPClosed)},
		{"a short body over HTTP/2", Evidence{Err: io.EOF, Encrypted: true, TLSEnd: io.EOF, Responded: true,
			Frames: &Frames{}, Phase: result.Transfer}, peer(result.HTTPResponseInvalid)},
		{"HTTP/2 closed before a response", Evidence{Err: io.EOF, Encrypted: true, TLSEnd: io.EOF, Frames: &Frames{}},
			peer(result.TCPClosed)},
		{"another error though TLS ended", Evidence{Err: errors.New("?"), Encrypted: true, TLSEnd: io.EOF},
			peer(result.HTTPFailed)},
		{"an alert behind a write error", Evidence{Err: closed, TLSEnd: remote(alertHandshakeFailure)},
			peer(result.TLSVersionOrCipherMismatch)},
		{"an alert for our certificate behind a write error",
			Evidence{Err: closed, TLSEnd: remote(alertUnknownCA), TLS: &result.TLSState{ClientCertAsked: true}},
			peer(result.TLSBadClientAuthCert)},
		{"an alert, no certificate requested", Evidence{Err: closed, TLSEnd: remote(alertUnknownCA),
			TLS: &result.TLSState{}}, peer(result.TLSProtocolError)},
		{"an alert after the response", Evidence{Err: closed, TLSEnd: remote(alertHandshakeFailure), Responded: true,
			Phase: result.Transfer}, peer(result.HTTPResponseInvalid)},
		{"close_notify is not an alert", Evidence{Err: closed, TLSEnd: remote(alertCloseNotify)},
			peer(result.HTTPFailed)},
		{"too many chunks", Evidence{Err: errors.New("chunked encoding contains too much non-data")},
			self(result.PeerFlood)},
		{"a long trailer", Evidence{Err: errors.New("http: suspiciously long trailer after chunked body")},
			self(result.PeerFlood)},
		{"net/http's bound of a head", Evidence{Err: http("server response headers exceeded 10 bytes; aborted")},
			self(result.HTTPHeadersTooLarge)},
		{"HTTP/2's bound of a head", Evidence{Err: errors.New("http2: response header list larger than advertised " +
			"limit")}, self(result.HTTPHeadersTooLarge)},
		{"HPACK's bound of a head", Evidence{Err: errors.New("header list too large")},
			self(result.HTTPHeadersTooLarge)},
		{"nonsense from a proxy", Evidence{Err: errors.New("?"), Phase: result.Proxy}, peer(result.HTTPProtocolError)},
		{"a body that cannot be read", Evidence{Err: errors.New("?"), Phase: result.Transfer, Responded: true},
			peer(result.HTTPResponseInvalid)},
		{"a request that fails after the response's head", Evidence{Err: errors.New("?"), Phase: result.Request,
			Responded: true}, peer(result.HTTPFailed)},
		{"a head that cannot be read", Evidence{Err: errors.New("?"), Phase: result.Transfer},
			peer(result.HTTPProtocolError)},
		{"a request that net/http refuses", Evidence{Err: http("invalid header field name"), Phase: result.Request},
			self(result.ProbeConfig)},
		{"a body that net/http refuses", Evidence{Err: errors.New("http: invalid Read on closed Body"),
			Phase: result.Request}, self(result.ProbeConfig)},
		{"nothing known", Evidence{Err: errors.New("?"), Phase: result.Processing}, peer(result.HTTPFailed)},
	} {
		row.e.Step = StepStream
		if row.e.Err == nil {
			row.e.Err = closed
		}
		compareFailure(t, row.name, &row.e, row.want)
	}
}

func TestClassifyIdle(t *testing.T) {
	reset := &result.Event{Errno: syscall.ECONNRESET, Err: syscall.ECONNRESET}
	for _, row := range []struct {
		name   string
		wire   result.Wire
		frames *Frames
		want   verdict
		err    error
	}{
		{"bytes that nobody asked for", result.Wire{}, nil, peer(result.TCPClosed), nil},
		{"a reset", result.Wire{Cause: reset}, nil, verdict{result.TCPReset, syscall.ECONNRESET, result.Peer},
			syscall.ECONNRESET},
		{"a reset over HTTP/2", result.Wire{Cause: reset}, &Frames{},
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}, syscall.ECONNRESET},
		{"GOAWAY, then a reset", result.Wire{Cause: reset}, &Frames{GoAway: true}, peer(result.H2GoAway), nil},
	} {
		e := &Evidence{Step: StepIdle, Wire: &row.wire, Frames: row.frames}
		compareFailure(t, row.name, e, row.want)
		if got := Failure(e).Err; got != row.err {
			t.Errorf("%s: Err = %v, want %v", row.name, got, row.err)
		}
	}
}

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

func TestClassifyHTTP2(t *testing.T) {
	stream := func(code http2.ErrCode, cause string) error {
		return http2.StreamError{StreamID: 1, Code: code, Cause: errors.New(cause)}
	}
	const fromPeer = "received from peer"
	other := errors.New("http2: ?")
	for _, row := range []struct {
		name string
		e    Evidence
		want verdict
	}{
		{"a stream reset", Evidence{Err: stream(http2.ErrCodeInternal, fromPeer)}, peer(result.H2StreamReset)},
		{"a stream refused", Evidence{Err: stream(http2.ErrCodeRefusedStream, fromPeer)}, peer(result.H2StreamRefused)},
		{"ENHANCE_YOUR_CALM on a stream", Evidence{Err: stream(http2.ErrCodeEnhanceYourCalm, fromPeer)},
			peer(result.H2Throttled)},
		{"our own end of a stream", Evidence{Err: stream(http2.ErrCodeRefusedStream, "?")},
			peer(result.H2ProtocolError)},
		{"our own end, without a cause", Evidence{Err: http2.StreamError{StreamID: 1,
			Code: http2.ErrCodeRefusedStream}}, peer(result.H2ProtocolError)},
		{"our bound of a head", Evidence{Err: stream(http2.ErrCodeProtocol, "header list too large")},
			self(result.HTTPHeadersTooLarge)},
		{"a peer that speaks of a header list", Evidence{Err: stream(http2.ErrCodeProtocol, fromPeer+": header list")},
			peer(result.H2StreamReset)},
		{"ENHANCE_YOUR_CALM", Evidence{Err: errors.New("http2: server sent GOAWAY and closed the connection; " +
			"ErrCode=ENHANCE_YOUR_CALM")}, peer(result.H2Throttled)},
		{"GOAWAY", Evidence{Err: errors.New("http2: server sent GOAWAY and closed the connection; ErrCode=NO_ERROR")},
			peer(result.H2GoAway)},
		{"a stream that ENHANCE_YOUR_CALM left out", Evidence{Err: errors.New("http2: Transport received GOAWAY from " +
			"server ErrCode:ENHANCE_YOUR_CALM")}, peer(result.H2Throttled)},
		{"our own end of the connection", Evidence{Err: errors.New("connection error: PROTOCOL_ERROR")},
			peer(result.H2ProtocolError)},
		{"a frame beyond our bound", Evidence{Err: errors.New("http2: frame too large")}, peer(result.H2ProtocolError)},
		{"HTTP/1.1 for HTTP/2", Evidence{Err: errors.New("http2: failed reading the frame payload: looked like an " +
			"HTTP/1.1 header")}, peer(result.H2ProtocolError)},
		{"no answer to a PING", Evidence{Err: errors.New("http2: client connection lost")}, peer(result.H2PingFailed)},
		{"a compressed head beyond our bound", Evidence{Err: other, Frames: &Frames{HeadTooLarge: true}},
			self(result.HTTPHeadersTooLarge)},
		{"the same after the response", Evidence{Err: other, Frames: &Frames{HeadTooLarge: true}, Responded: true,
			Phase: result.Transfer}, peer(result.HTTPResponseInvalid)},
		{"a head within it", Evidence{Err: other, Phase: result.Processing}, peer(result.HTTPFailed)},
		{"frames said GOAWAY", Evidence{Err: other, Frames: &Frames{GoAway: true}}, peer(result.H2GoAway)},
		{"frames said ENHANCE_YOUR_CALM", Evidence{Err: other,
			Frames: &Frames{GoAway: true, GoAwayCode: http2.ErrCodeEnhanceYourCalm}}, peer(result.H2Throttled)},
		{"a code without GOAWAY", Evidence{Err: other, Frames: &Frames{GoAwayCode: http2.ErrCodeEnhanceYourCalm}},
			peer(result.HTTPFailed)},
		{"frames were HTTP/1", Evidence{Err: other, Frames: &Frames{HTTP1: true, GoAway: true}},
			peer(result.H2ProtocolError)},
		{"a stream that ended short", Evidence{Err: other, Frames: &Frames{Ended: true, GoAway: true}, Responded: true},
			peer(result.HTTPResponseInvalid)},
		{"a stream that ended before the head", Evidence{Err: other, Frames: &Frames{Ended: true, GoAway: true}},
			peer(result.H2GoAway)},
		{"a response, then GOAWAY", Evidence{Err: other, Frames: &Frames{GoAway: true}, Responded: true},
			peer(result.H2GoAway)},
		{"GOAWAY, then our deadline", Evidence{Err: other, Frames: &Frames{GoAway: true}, Ended: Deadline,
			Phase: result.Processing}, self(result.HTTPResponseTimedOut)},
	} {
		row.e.Step = StepStream
		if row.e.Frames == nil {
			row.e.Frames = &Frames{}
		}
		compareFailure(t, row.name, &row.e, row.want)
	}
	// The same texts over HTTP/1.1 mean nothing.
	compareFailure(t, "no frames", &Evidence{Step: StepStream, Err: errors.New("GOAWAY")}, peer(result.HTTPFailed))
}

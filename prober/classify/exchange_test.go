package classify

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"errno_exporter/prober/result"
)

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

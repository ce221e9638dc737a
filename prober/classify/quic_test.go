package classify

import (
	"crypto/x509"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/quic-go/quic-go"

	"errno_exporter/prober/result"
)

func TestClassifyOpenUDP(t *testing.T) {
	for _, row := range []struct {
		name  string
		err   error
		ended Ending
		want  verdict
	}{
		{"no route", dialError(syscall.ENETUNREACH), Running,
			verdict{result.LocalNoRoute, syscall.ENETUNREACH, result.Local}},
		{"denied", dialError(syscall.EPERM), Running, verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"no file descriptors", dialError(syscall.EMFILE), Running,
			verdict{result.LocalFDExhausted, syscall.EMFILE, result.Local}},
		{"no ports", dialError(syscall.EADDRNOTAVAIL), Running,
			verdict{result.LocalPortExhausted, syscall.EADDRNOTAVAIL, result.Local}},
		{"a source address that is not this host's", os.NewSyscallError("bind", syscall.EADDRNOTAVAIL), Running,
			verdict{result.ProbeConfig, syscall.EADDRNOTAVAIL, result.Self}},
		{"no IPv6 in the kernel", dialError(syscall.EAFNOSUPPORT), Running,
			verdict{result.LocalNoRoute, syscall.EAFNOSUPPORT, result.Local}},
		{"our deadline", os.ErrDeadlineExceeded, Deadline, self(result.QUICTimedOut)},
		{"cancelled", os.ErrDeadlineExceeded, Cancelled, self(result.Abandoned)},
	} {
		compareFailure(t, row.name, &Evidence{Step: StepOpenUDP, Err: row.err, Ended: row.ended}, row.want)
	}
	compareFailure(t, "no address of the family", &Evidence{Step: StepOpenUDP,
		Err: dialError(syscall.EADDRNOTAVAIL), NoSource: true},
		verdict{result.LocalNoRoute, syscall.EADDRNOTAVAIL, result.Local})
}

// What QUIC itself reports.
func TestSpokenQUIC(t *testing.T) {
	asked := &result.TLSState{ClientCertAsked: true}
	crypto := func(number uint8, remote bool) error {
		return &quic.TransportError{ErrorCode: firstCryptoError + quic.TransportErrorCode(number), Remote: remote}
	}
	transport := func(code quic.TransportErrorCode, remote bool) error {
		return &quic.TransportError{ErrorCode: code, Remote: remote}
	}
	for _, row := range []struct {
		name  string
		err   error
		state *result.TLSState
		want  verdict
	}{
		{"a broken encoding", &DecodeError{io.ErrUnexpectedEOF}, nil, peer(result.HTTPResponseInvalid)},
		{"a certificate of another name", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}, nil,
			self(result.TLSCertNameInvalid)},
		{"the first alert", crypto(0, true), nil, peer(result.TLSProtocolError)},
		{"unrecognized name", crypto(alertUnrecognizedName, true), nil, peer(result.TLSUnrecognizedName)},
		{"unknown authority", crypto(alertUnknownCA, true), asked, peer(result.TLSBadClientAuthCert)},
		{"unknown authority, no certificate requested", crypto(alertUnknownCA, true), &result.TLSState{},
			peer(result.TLSProtocolError)},
		{"our alert about ALPN", crypto(alertNoApplicationProtol, false), nil, self(result.TLSALPNMismatch)},
		{"another alert of ours", crypto(alertHandshakeFailure, false), nil, peer(result.TLSProtocolError)},
		{"the last alert", crypto(255, false), nil, peer(result.TLSProtocolError)},
		{"beyond alerts", transport(lastCryptoError+1, false), nil, peer(result.QUICProtocolError)},
		{"closed", transport(quic.NoError, true), nil, peer(result.QUICClosed)},
		{"closed by us", transport(quic.NoError, false), nil, peer(result.QUICProtocolError)},
		{"refused", transport(quic.ConnectionRefused, true), nil, peer(result.QUICRefused)},
		{"refused by us", transport(quic.ConnectionRefused, false), nil, peer(result.QUICProtocolError)},
		{"another transport error", transport(quic.FlowControlError, true), nil, peer(result.QUICProtocolError)},
		{"too long a handshake", transport(cryptoBufferExceeded, false), nil, peer(result.TLSFailed)},
		{"too long a handshake of ours", transport(cryptoBufferExceeded, true), nil, peer(result.QUICProtocolError)},
		{"no common version", &quic.VersionNegotiationError{}, nil, peer(result.QUICVersion)},
		{"a stateless reset", &quic.StatelessResetError{}, nil, peer(result.QUICReset)},
		{"idle", &quic.IdleTimeoutError{}, nil, self(result.QUICTimedOut)},
		{"closed by HTTP/3", &quic.ApplicationError{Remote: true}, nil, peer(result.QUICClosed)},
		{"we refuse the peer's HTTP/3", &quic.ApplicationError{}, nil, peer(result.QUICProtocolError)},
		{"a stream reset", &quic.StreamError{Remote: true}, nil, peer(result.QUICStreamReset)},
		{"a stream that we reset", &quic.StreamError{}, nil, peer(result.HTTPFailed)},
		{"GOAWAY", errors.New("connection in graceful shutdown"), nil, peer(result.QUICClosed)},
	} {
		compareFailure(t, row.name, &Evidence{Step: StepQUIC, Phase: result.Processing, Err: row.err, TLS: row.state},
			row.want)
	}
}

// What ended a connection that QUIC reports nothing about.
func TestClassifyQUIC(t *testing.T) {
	server, router := netip.MustParseAddrPort("192.0.2.7:443"), netip.MustParseAddr("203.0.113.1")
	server6, router6 := netip.MustParseAddrPort("[2001:db8::7]:443"), netip.MustParseAddr("2001:db8::1")
	icmp := func(remote netip.AddrPort, errno syscall.Errno, i *result.ICMP) *result.Wire {
		return &result.Wire{Remote: remote, Cause: &result.Event{Errno: errno}, ICMP: i}
	}
	const refused, unreachable = syscall.ECONNREFUSED, syscall.EHOSTUNREACH
	other, internal := errors.New("?"), &quic.TransportError{ErrorCode: quic.InternalError}
	peerClosed := &quic.TransportError{ErrorCode: quic.InternalError, Remote: true}
	for _, row := range []struct {
		name string
		e    Evidence
		want verdict
	}{
		{"a closed port", Evidence{Phase: result.Connect,
			Wire: icmp(server, refused, &result.ICMP{From: server.Addr(), Type: 3, Code: 3})},
			verdict{result.QUICRefused, refused, result.Peer}},
		{"a closed port, without the message", Evidence{Phase: result.Connect, Wire: icmp(server, refused, nil)},
			verdict{result.QUICRefused, refused, result.Peer}},
		{"a port that was closed later", Evidence{Phase: result.Processing, Wire: icmp(server, refused, nil)},
			verdict{result.QUICReset, refused, result.Peer}},
		{"a router refuses", Evidence{Phase: result.Connect,
			Wire: icmp(server, refused, &result.ICMP{From: router, Type: 3, Code: 3})},
			verdict{result.QUICRefused, refused, result.Path}},
		{"a router has no route", Evidence{Wire: icmp(server, unreachable,
			&result.ICMP{From: router, Type: 3, Code: 1})},
			verdict{result.QUICAddressUnreachable, unreachable, result.Path}},
		{"the server is unreachable, as it says itself",
			Evidence{Wire: icmp(server, unreachable, &result.ICMP{From: server.Addr(), Type: 3, Code: 1})},
			verdict{result.QUICAddressUnreachable, unreachable, result.Path}},
		{"no answer to ARP", Evidence{ICMPFromHost: true,
			Wire: icmp(server, unreachable, &result.ICMP{From: router, Type: 3, Code: 1})},
			verdict{result.QUICAddressUnreachable, unreachable, result.Local}},
		{"a firewall of this host", Evidence{ICMPFromHost: true,
			Wire: icmp(server, unreachable, &result.ICMP{From: router, Type: 3, Code: 13})},
			verdict{result.LocalDenied, unreachable, result.Local}},
		{"the same code of another type", Evidence{ICMPFromHost: true,
			Wire: icmp(server, unreachable, &result.ICMP{From: router, Type: 11, Code: 1})},
			verdict{result.LocalDenied, unreachable, result.Local}},
		{"no answer to neighbour solicitation", Evidence{ICMPFromHost: true,
			Wire: icmp(server6, unreachable, &result.ICMP{From: router6, Type: 1, Code: 3})},
			verdict{result.QUICAddressUnreachable, unreachable, result.Local}},
		{"a firewall of this host, IPv6", Evidence{ICMPFromHost: true,
			Wire: icmp(server6, unreachable, &result.ICMP{From: router6, Type: 1, Code: 1})},
			verdict{result.LocalDenied, unreachable, result.Local}},
		{"the same code of another type, IPv6", Evidence{ICMPFromHost: true,
			Wire: icmp(server6, unreachable, &result.ICMP{From: router6, Type: 3, Code: 3})},
			verdict{result.LocalDenied, unreachable, result.Local}},
		{"a rule of this host, without a message", Evidence{Wire: icmp(server, syscall.EPERM, nil)},
			verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"no buffers", Evidence{Wire: icmp(server, syscall.ENOBUFS, nil)},
			verdict{result.LocalNoResources, syscall.ENOBUFS, result.Local}},
		{"quic-go's reaction to an errno", Evidence{Err: internal, Wire: icmp(server, syscall.EPERM, nil)},
			verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"quic-go's own fault", Evidence{Err: internal}, peer(result.QUICProtocolError)},
		{"the peer's fault and an errno", Evidence{Err: peerClosed, Wire: icmp(server, syscall.EPERM, nil)},
			peer(result.QUICProtocolError)},
		{"the peer's end and an errno", Evidence{Err: &quic.StatelessResetError{},
			Wire: icmp(server, syscall.EPERM, nil)}, peer(result.QUICReset)},
		{"another end of ours and an errno", Evidence{Err: &quic.TransportError{ErrorCode: quic.FlowControlError},
			Wire: icmp(server, syscall.EPERM, nil)}, peer(result.QUICProtocolError)},
		{"cancelled", Evidence{Ended: Cancelled}, self(result.Abandoned)},
		{"our deadline while connecting", Evidence{Ended: Deadline, Phase: result.Connect}, self(result.QUICTimedOut)},
		{"our deadline in the handshake", Evidence{Ended: Deadline, Phase: result.TLS, Silent: true},
			self(result.TLSTimedOut)},
		{"our deadline, the server silent", Evidence{Ended: Deadline, Phase: result.Request, Silent: true},
			self(result.QUICTimedOut)},
		{"our deadline while sending", Evidence{Ended: Deadline, Phase: result.Request}, self(result.QUICStalled)},
		{"our deadline while waiting", Evidence{Ended: Deadline, Phase: result.Processing},
			self(result.HTTPResponseTimedOut)},
		{"a stream without a response", Evidence{Err: io.EOF, Phase: result.Processing},
			peer(result.QUICProtocolError)},
		{"a short body", Evidence{Err: io.ErrUnexpectedEOF, Phase: result.Transfer, Responded: true},
			peer(result.HTTPResponseInvalid)},
		{"a head beyond our bound", Evidence{Err: TooLarge("?"), Phase: result.Processing},
			self(result.HTTPHeadersTooLarge)},
		{"http3's bound of a head", Evidence{Err: errors.New("http3: headers too large"), Phase: result.Processing},
			self(result.HTTPHeadersTooLarge)},
		{"http3's bound of a frame", Evidence{Err: errors.New("HEADERS frame too large"), Phase: result.Processing},
			self(result.HTTPHeadersTooLarge)},
		{"a request that fails after the response's head", Evidence{Phase: result.Request, Responded: true},
			peer(result.HTTPFailed)},
		{"a head that cannot be read", Evidence{Phase: result.Transfer}, peer(result.HTTPProtocolError)},
		{"a request that http3 refuses", Evidence{Err: errors.New("http3: invalid method"), Phase: result.Request},
			self(result.ProbeConfig)},
		{"a field that http3 refuses", Evidence{Err: errors.New("invalid HTTP header field name"),
			Phase: result.Request}, self(result.ProbeConfig)},
		{"nothing known", Evidence{Phase: result.Processing}, peer(result.HTTPFailed)},
	} {
		row.e.Step = StepQUIC
		if row.e.Err == nil {
			row.e.Err = other
		}
		compareFailure(t, row.name, &row.e, row.want)
	}
}

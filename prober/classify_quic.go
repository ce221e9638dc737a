package prober

import (
	"errors"
	"strings"
	"syscall"

	"github.com/quic-go/quic-go"
)

// HTTP/3's failures. Every error of quic-go unwraps to net.ErrClosed, so its types are looked at first; what the socket saw second.

// classifyOpenUDP names a UDP socket that could not be made: nothing has left this host.
func classifyOpenUDP(e *Evidence) Failure {
	f := Failure{Err: e.Err}
	f.Errno, _ = errnoOf(e.Err)
	if reason, ok := exhausted(f.Errno); ok {
		f.Reason, f.Origin = reason, Local
		return f
	}
	if f.Errno == 0 {
		f.Reason, f.Origin = QUICTimedOut, Self
		if e.Ended == Cancelled {
			f.Reason = Abandoned
		}
		return f
	}
	f.Reason, f.Origin = reasonOfUnsent(f.Errno)
	return f
}

// classifyQUIC names what ended a QUIC connection or an exchange on it. The connection is closed by now.
func classifyQUIC(e *Evidence) Failure {
	f, w := Failure{Err: e.Err}, e.Wire
	if _, ok := errors.AsType[*decodeError](e.Err); ok {
		f.Reason, f.Origin = HTTPResponseInvalid, Peer // the body itself had come to its end
		return f
	}
	if reason, origin, ok := spokenQUIC(e.Err, e.TLS); ok && !(w.Cause != nil && internal(e.Err)) {
		f.Reason, f.Origin = reason, origin
		return f
	}
	if w.Cause != nil {
		f.Errno = w.Cause.Errno
		f.Reason, f.Origin = reasonOfDatagram(e)
		return f
	}
	switch e.Ended {
	case Cancelled:
		f.Reason, f.Origin = Abandoned, Self
	case Deadline:
		f.Reason, f.Origin = reasonOfDeadlineQUIC(e.Phase, e.Silent), Self
	default:
		f.Reason, f.Origin = malformedHTTP3(e.Phase, e.Err, e.Responded)
	}
	return f
}

// internal reports whether quic-go gave up by itself, as it does when a write fails.
func internal(err error) bool {
	e, ok := errors.AsType[*quic.TransportError](err)
	return ok && !e.Remote && e.ErrorCode == quic.InternalError
}

// spokenQUIC finds what QUIC, or TLS inside it, said about the failure.
func spokenQUIC(err error, state *TLSState) (Reason, Origin, bool) {
	if reason, ok := reasonOfCertificate(err); ok {
		return reason, Self, true
	}
	if e, ok := errors.AsType[*quic.TransportError](err); ok {
		reason, origin := reasonOfTransport(e, state != nil && state.ClientCertAsked)
		return reason, origin, true
	}
	if _, ok := errors.AsType[*quic.VersionNegotiationError](err); ok {
		return QUICVersion, Peer, true
	}
	if _, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return QUICReset, Peer, true
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return QUICTimedOut, Self, true
	}
	if e, ok := errors.AsType[*quic.ApplicationError](err); ok {
		if e.Remote {
			return QUICClosed, Peer, true
		}
		return QUICProtocolError, Peer, true // http3 closes on what HTTP/3 forbids
	}
	if e, ok := errors.AsType[*quic.StreamError](err); ok && e.Remote {
		return QUICStreamReset, Peer, true
	}
	if strings.Contains(err.Error(), "connection in graceful shutdown") { // http3's errGoAway, unexported
		return QUICClosed, Peer, true
	}
	return "", "", false
}

// Codes 0x100 to 0x1ff of a transport error are TLS alerts (RFC 9001 section 4.8).
const (
	firstCryptoError = 0x100
	lastCryptoError  = 0x1ff
)

// reasonOfTransport names a CONNECTION_CLOSE of QUIC itself (RFC 9000 section 20.1), the server's or ours.
func reasonOfTransport(e *quic.TransportError, asked bool) (Reason, Origin) {
	if e.ErrorCode >= firstCryptoError && e.ErrorCode <= lastCryptoError {
		number := uint8(e.ErrorCode - firstCryptoError)
		switch {
		case e.Remote:
			return reasonOfAlert(number, asked), Peer
		case number == alertNoApplicationProtol:
			return TLSALPNMismatch, Self
		}
		return TLSProtocolError, Peer
	}
	switch {
	case e.Remote && e.ErrorCode == quic.NoError:
		return QUICClosed, Peer
	case e.Remote && e.ErrorCode == quic.ConnectionRefused:
		return QUICRefused, Peer
	}
	return QUICProtocolError, Peer
}

// reasonOfDatagram names an errno of the UDP socket: what ICMP said of the address, or this host's own.
func reasonOfDatagram(e *Evidence) (Reason, Origin) {
	errno, icmp := e.Wire.Cause.Errno, e.Wire.ICMP
	if reason, ok := exhausted(errno); ok {
		return reason, Local
	}
	if errno == syscall.ECONNREFUSED && (icmp == nil || icmp.From == e.Wire.Remote.Addr()) {
		if e.Phase == Connect {
			return QUICRefused, Peer
		}
		return QUICReset, Peer // the port was open when the connection was made
	}
	switch {
	case icmp == nil:
		return reasonOfUnsent(errno)
	case e.ICMPFromHost && unreachableHost(icmp):
		return QUICAddressUnreachable, Local // ARP or ND failed on our own network
	case e.ICMPFromHost:
		return LocalDenied, Local // a firewall on this host rejects
	case errno == syscall.ECONNREFUSED:
		return QUICRefused, Path
	}
	return QUICAddressUnreachable, Path
}

// unreachableHost reports whether an ICMP message says that the host itself was not found (RFC 792; RFC 4443 section 3.1).
func unreachableHost(icmp *ICMP) bool {
	if icmp.From.Is4() {
		return icmp.Type == 3 && icmp.Code == 1
	}
	return icmp.Type == 1 && icmp.Code == 3
}

// reasonOfDeadlineQUIC tells the meanings of our own deadline apart.
func reasonOfDeadlineQUIC(phase Phase, dead bool) Reason {
	switch {
	case phase == Connect:
		return QUICTimedOut
	case phase == TLS:
		return TLSTimedOut
	case dead:
		return QUICTimedOut
	case phase == Request:
		return QUICStalled
	}
	return HTTPResponseTimedOut
}

// malformedHTTP3 names a failure on a connection that was healthy.
func malformedHTTP3(phase Phase, err error, responded bool) (Reason, Origin) {
	text := err.Error()
	switch {
	case isEOF(err) && phase == Processing:
		return QUICProtocolError, Peer // the stream ended without a response
	case errors.Is(err, errTooManyFields), strings.Contains(text, "headers too large"), strings.Contains(text, "HEADERS frame too large"):
		return HTTPHeadersTooLarge, Self
	case phase == Transfer && responded:
		return HTTPResponseInvalid, Peer
	case phase == Transfer:
		return HTTPProtocolError, Peer
	case strings.Contains(text, "http3: invalid"), strings.Contains(text, "invalid HTTP header"):
		return ProbeConfig, Self
	}
	return HTTPFailed, Peer
}

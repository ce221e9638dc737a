package classify

import (
	"errors"
	"strings"
	"syscall"

	"github.com/quic-go/quic-go"

	"errno_exporter/prober/result"
)

// classifyOpenUDP names a UDP socket that could not be made: nothing has left this host.
func classifyOpenUDP(e *Evidence) result.Failure {
	f := result.Failure{Err: e.Err}
	f.Errno, _ = Errno(e.Err)
	if foreignSource(e.Err, f.Errno) {
		f.Reason, f.Origin = result.ProbeConfig, result.Self
		return f
	}
	if withoutFamily(e, f.Errno) {
		f.Reason, f.Origin = result.LocalNoRoute, result.Local
		return f
	}
	if reason, ok := exhausted(f.Errno); ok {
		f.Reason, f.Origin = reason, result.Local
		return f
	}
	if f.Errno == 0 {
		f.Reason, f.Origin = result.QUICTimedOut, result.Self
		if e.Ended == Cancelled {
			f.Reason = result.Abandoned
		}
		return f
	}
	f.Reason, f.Origin = reasonOfUnsent(f.Errno)
	return f
}

// classifyQUIC names what ended a QUIC connection or an exchange on it. The connection is closed by now.
func classifyQUIC(e *Evidence) result.Failure {
	f, w := result.Failure{Err: e.Err}, e.Wire
	if _, ok := errors.AsType[*DecodeError](e.Err); ok {
		f.Reason, f.Origin = result.HTTPResponseInvalid, result.Peer // the body itself had come to its end
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
		f.Reason, f.Origin = result.Abandoned, result.Self
	case Deadline:
		f.Reason, f.Origin = reasonOfDeadlineQUIC(e.Phase, e.Silent), result.Self
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
func spokenQUIC(err error, state *result.TLSState) (result.Reason, result.Origin, bool) {
	if reason, ok := reasonOfCertificate(err); ok {
		return reason, result.Self, true
	}
	if e, ok := errors.AsType[*quic.TransportError](err); ok {
		reason, origin := reasonOfTransport(e, state != nil && state.ClientCertAsked)
		return reason, origin, true
	}
	if _, ok := errors.AsType[*quic.VersionNegotiationError](err); ok {
		return result.QUICVersion, result.Peer, true
	}
	if _, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return result.QUICReset, result.Peer, true
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return result.QUICTimedOut, result.Self, true
	}
	if e, ok := errors.AsType[*quic.ApplicationError](err); ok {
		if e.Remote {
			return result.QUICClosed, result.Peer, true
		}
		return result.QUICProtocolError, result.Peer, true // http3 closes on what HTTP/3 forbids
	}
	if e, ok := errors.AsType[*quic.StreamError](err); ok && e.Remote {
		return result.QUICStreamReset, result.Peer, true
	}
	if strings.Contains(err.Error(), "connection in graceful shutdown") { // http3's errGoAway, unexported
		return result.QUICClosed, result.Peer, true
	}
	return "", "", false
}

// Codes 0x100 to 0x1ff of a transport error are TLS alerts (RFC 9001 section 4.8).
const (
	firstCryptoError = 0x100
	lastCryptoError  = 0x1ff
)

// cryptoBufferExceeded is the code by which quic-go ends a handshake of more than 16 KiB (RFC 9000 section 20.1).
const cryptoBufferExceeded = 0xd

// reasonOfTransport names a CONNECTION_CLOSE of QUIC itself (RFC 9000 section 20.1), the server's or ours.
func reasonOfTransport(e *quic.TransportError, asked bool) (result.Reason, result.Origin) {
	if e.ErrorCode >= firstCryptoError && e.ErrorCode <= lastCryptoError {
		number := uint8(e.ErrorCode - firstCryptoError)
		switch {
		case e.Remote:
			return reasonOfAlert(number, asked), result.Peer
		case number == alertNoApplicationProtol:
			return result.TLSALPNMismatch, result.Self
		}
		return result.TLSProtocolError, result.Peer
	}
	switch {
	case e.Remote && e.ErrorCode == quic.NoError:
		return result.QUICClosed, result.Peer
	case e.Remote && e.ErrorCode == quic.ConnectionRefused:
		return result.QUICRefused, result.Peer
	case !e.Remote && e.ErrorCode == cryptoBufferExceeded:
		return result.TLSFailed, result.Peer // as over TCP: a message of the handshake is too long
	}
	return result.QUICProtocolError, result.Peer
}

// reasonOfDatagram names an errno of the UDP socket: what ICMP said of the address, or this host's own.
func reasonOfDatagram(e *Evidence) (result.Reason, result.Origin) {
	errno, icmp := e.Wire.Cause.Errno, e.Wire.ICMP
	if reason, ok := exhausted(errno); ok {
		return reason, result.Local
	}
	if errno == syscall.ECONNREFUSED && (icmp == nil || icmp.From == e.Wire.Remote.Addr()) {
		if e.Phase == result.Connect {
			return result.QUICRefused, result.Peer
		}
		return result.QUICReset, result.Peer // the port was open when the connection was made
	}
	switch {
	case icmp == nil:
		return reasonOfUnsent(errno)
	case e.ICMPFromHost && unreachableHost(icmp):
		return result.QUICAddressUnreachable, result.Local // ARP or ND failed on our own network
	case e.ICMPFromHost:
		return result.LocalDenied, result.Local // a firewall on this host rejects
	case errno == syscall.ECONNREFUSED:
		return result.QUICRefused, result.Path
	}
	return result.QUICAddressUnreachable, result.Path
}

// unreachableHost reports whether an ICMP message says that the host itself was not found (RFC 792; RFC 4443 section
// 3.1).
func unreachableHost(icmp *result.ICMP) bool {
	if icmp.From.Is4() {
		return icmp.Type == 3 && icmp.Code == 1
	}
	return icmp.Type == 1 && icmp.Code == 3
}

// reasonOfDeadlineQUIC distinguishes what our own deadline means.
func reasonOfDeadlineQUIC(phase result.Phase, dead bool) result.Reason {
	switch {
	case phase == result.Connect:
		return result.QUICTimedOut
	case phase == result.TLS:
		return result.TLSTimedOut
	case dead:
		return result.QUICTimedOut
	case phase == result.Request:
		return result.QUICStalled
	}
	return result.HTTPResponseTimedOut
}

// malformedHTTP3 names a failure on a connection that was healthy.
func malformedHTTP3(phase result.Phase, err error, responded bool) (result.Reason, result.Origin) {
	text := err.Error()
	switch {
	case isEOF(err) && phase == result.Processing:
		return result.QUICProtocolError, result.Peer // the stream ended without a response
	case tooLarge(err), strings.Contains(text, "headers too large"), strings.Contains(text, "HEADERS frame too large"):
		return result.HTTPHeadersTooLarge, result.Self
	case phase == result.Transfer && responded:
		return result.HTTPResponseInvalid, result.Peer
	case phase == result.Transfer:
		return result.HTTPProtocolError, result.Peer
	case strings.Contains(text, "http3: invalid"), strings.Contains(text, "invalid HTTP header"):
		return result.ProbeConfig, result.Self
	}
	return result.HTTPFailed, result.Peer
}

func tooLarge(err error) bool {
	_, ok := errors.AsType[TooLarge](err)
	return ok
}

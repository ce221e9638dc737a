package classify

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"errno_exporter/prober/result"
)

// Failure names the failure that evidence shows. Its phase is left to the caller.
func Failure(e *Evidence) result.Failure {
	if e.Flood != nil {
		return result.Failure{Reason: result.PeerFlood, Origin: result.Self, Err: e.Flood}
	}
	switch e.Step {
	case StepLookup:
		return classifyLookup(e)
	case StepAuthorize:
		return classifyAuthorize(e)
	case StepDial:
		return classifyDial(e)
	case StepStream:
		return classifyStream(e)
	case StepIdle:
		return classifyIdle(e)
	case StepOpenUDP:
		return classifyOpenUDP(e)
	case StepQUIC:
		return classifyQUIC(e)
	}
	panic(fmt.Sprintf("classify: step %d is not classified", e.Step))
}

// exhausted names an errno that says that this host is short of something.
func exhausted(errno syscall.Errno) (result.Reason, bool) {
	switch errno {
	case syscall.EMFILE, syscall.ENFILE:
		return result.LocalFDExhausted, true
	case syscall.EADDRNOTAVAIL, syscall.EADDRINUSE:
		return result.LocalPortExhausted, true
	case syscall.ENOBUFS, syscall.ENOMEM:
		return result.LocalNoResources, true
	}
	return "", false
}

// withoutFamily reports whether IPv6 is switched off here (ipv6(7)), by sysctl or in the kernel, or IPv4.
func withoutFamily(e *Evidence, errno syscall.Errno) bool {
	return e.NoSource || errno == syscall.EAFNOSUPPORT && (e.Wire == nil || e.Wire.Info == nil)
}

// classifyAuthorize names a request that could not be made: a secret that cannot be read, or a token endpoint that gave
// no token.
func classifyAuthorize(e *Evidence) result.Failure {
	errno, _ := Errno(e.Err)
	f := result.Failure{Reason: result.AuthTokenFailed, Errno: errno, Origin: result.Peer, Err: e.Err}
	switch {
	case e.Token == nil:
		f.Reason, f.Origin = result.ProbeConfig, result.Self
	case e.Token.Refused:
		f.Origin = result.Self
	case e.Ended == Cancelled:
		f.Reason, f.Origin = result.Abandoned, result.Self
	case e.Token.Status >= 400 && e.Token.Status < 500:
		f.Reason = result.AuthTokenDenied
	case errno == 0 && e.Ended == Deadline:
		f.Reason, f.Origin = result.AuthTokenTimedOut, result.Self
	}
	return f
}

// classifyStream names what ended an exchange, or a handshake, on an established connection.
func classifyStream(e *Evidence) result.Failure {
	f := result.Failure{Err: e.Err}
	cause := e.cause()
	if e.Ended == Cancelled && cause == nil {
		f.Reason, f.Origin = result.Abandoned, result.Self
		return f
	}
	if reason, origin, ok := spoken(e); ok {
		f.Reason, f.Origin = reason, origin
		return f
	}
	if cause != nil {
		f.Reason, f.Errno, f.Origin = reasonOfCause(e.Wire, cause)
		return f
	}
	if e.Ended == Deadline {
		f.Reason, f.Origin = reasonOfDeadline(e.Phase, e.Wire.Info, e.Handshaking)
		return f
	}
	f.Reason, f.Origin = malformed(e)
	return f
}

// classifyIdle names the end of an idle connection. Without an event of the socket TLS took its end, or bytes that
// nobody asked for came.
func classifyIdle(e *Evidence) result.Failure {
	f := result.Failure{Reason: result.TCPClosed, Origin: result.Peer}
	switch cause := e.Wire.Cause; {
	case e.Frames != nil && e.Frames.GoAway:
		f.Reason = result.H2GoAway
	case cause != nil:
		f.Reason, f.Errno, f.Origin = reasonOfCause(e.Wire, cause)
		f.Err = cause.Err
	}
	return f
}

// spoken finds a protocol's own word about the failure: a proxy's answer, the body's compression, TLS, HTTP/2.
func spoken(e *Evidence) (result.Reason, result.Origin, bool) {
	if _, ok := errors.AsType[TooLarge](e.Err); ok {
		return result.HTTPHeadersTooLarge, result.Self, true // the reader is told before whatever ends the connection
	}
	if errors.Is(e.Err, ErrNotEncrypted) {
		return result.HTTPProtocolError, result.Peer, true
	}
	if r, ok := errors.AsType[*Refusal](e.Err); ok {
		return r.Reason, result.Peer, true
	}
	if _, ok := errors.AsType[*DecodeError](e.Err); ok {
		return result.HTTPResponseInvalid, result.Peer, true // the body itself had come to its end
	}
	if reason, origin, ok := classifyTLS(e.Err, e.TLS); ok {
		return reason, origin, true
	}
	if reason, origin, ok := spokenHTTP2(e); ok {
		return reason, origin, true
	}
	if !e.Responded {
		// net/http may have been told of a write error first. A TLS connection keeps what ended its reading.
		if number, ok := RemoteAlert(e.TLSEnd); ok {
			return reasonOfAlert(number, e.TLS != nil && e.TLS.ClientCertAsked), result.Peer, true
		}
	}
	return "", "", false
}

// reasonOfCause names a transport event. Linux hands out a reset's errno once: what a read or write saw later, or in
// the peer's CLOSE_WAIT, is put right by TCP_INFO, in whose bytes_received a FIN counts as one.
func reasonOfCause(w *result.Wire, cause *result.Event) (result.Reason, syscall.Errno, result.Origin) {
	fin := w.Info != nil && w.Info.BytesReceived > uint64(w.BytesReceived)
	switch {
	case cause.EOF && w.Info != nil && w.Info.State == "CLOSE" && !fin:
		return result.TCPReset, syscall.ECONNRESET, result.Peer
	case cause.EOF:
		return result.TCPClosed, 0, result.Peer
	case cause.Errno == syscall.ECONNRESET:
		return result.TCPReset, syscall.ECONNRESET, result.Peer
	case cause.Errno == syscall.EPIPE && fin:
		return result.TCPClosed, syscall.EPIPE, result.Peer
	case cause.Errno == syscall.EPIPE:
		return result.TCPReset, syscall.ECONNRESET, result.Peer
	case cause.Errno == syscall.ETIMEDOUT:
		return result.TCPAborted, cause.Errno, result.Kernel
	case cause.Errno == syscall.EHOSTUNREACH, cause.Errno == syscall.ENETUNREACH:
		return result.TCPAborted, cause.Errno, result.Path
	}
	if reason, ok := exhausted(cause.Errno); ok {
		return reason, cause.Errno, result.Local
	}
	return result.Unknown, cause.Errno, ""
}

// reasonOfDeadline distinguishes what our own deadline means, by the state of TCP when it passed.
func reasonOfDeadline(phase result.Phase, info *result.TCPInfo, handshaking bool) (result.Reason, result.Origin) {
	switch {
	case info != nil && heldBack(info):
		return result.TCPAborted, result.Local
	case info != nil && pathDead(info):
		return result.TCPAborted, result.Self
	case handshaking:
		return result.TLSTimedOut, result.Self
	case phase == result.Request:
		return result.TCPStalled, result.Self
	default:
		return result.HTTPResponseTimedOut, result.Self
	}
}

// heldBack reports whether this host itself does not send what was written. TCP is not told that a firewall of this
// host drops a segment: what it could not hand down stays in its queue (net/ipv4/tcp_output.c, tcp_write_xmit), so that
// nothing is in flight though the peer's window has room for a segment, and it tries again as if it probed a window.
func heldBack(i *result.TCPInfo) bool {
	return i.NotSent > 0 && i.Unacked == 0 && i.Probes > 0 && i.SndMSS > 0 && i.SndWnd >= i.SndMSS
}

// KeepAliveIdle is how long a connection is silent before the kernel asks after the peer.
const KeepAliveIdle = time.Second

// pathDead reports whether nothing gets through any more: our data is being retransmitted without an acknowledgement,
// our keepalives are unanswered for longer than a round trip, or a hole in the received data is not filled.
func pathDead(i *result.TCPInfo) bool {
	unacknowledged := i.Unacked > 0 && (i.Backoff > 0 || i.Retransmits > 0)
	unanswered := i.Probes > 0 && i.Unacked == 0 && i.NotSent == 0 &&
		i.LastAckRecv > KeepAliveIdle+max(4*i.RTT, 200*time.Millisecond)
	return unacknowledged || unanswered || i.OutOfOrderQueued
}

// malformed names a failure on a connection that was healthy.
func malformed(e *Evidence) (result.Reason, result.Origin) {
	phase, err := e.Phase, e.Err
	if isEOF(err) && closeNotified(e) {
		return result.TCPClosed, result.Peer
	}
	text := err.Error()
	switch {
	// net/http's own bounds
	case strings.Contains(text, "too much non-data"), strings.Contains(text, "suspiciously long trailer"):
		return result.PeerFlood, result.Self
	case strings.Contains(text, "server response headers exceeded"),
		strings.Contains(text, "response header list larger"), strings.Contains(text, "header list too large"):
		return result.HTTPHeadersTooLarge, result.Self
	case phase == result.Proxy:
		return result.HTTPProtocolError, result.Peer
	case phase == result.Transfer && e.Responded:
		return result.HTTPResponseInvalid, result.Peer
	case phase == result.Transfer:
		return result.HTTPProtocolError, result.Peer
	case strings.Contains(text, "http: invalid"):
		return result.ProbeConfig, result.Self
	}
	return result.HTTPFailed, result.Peer
}

// closeNotified reports whether the peer closed the TLS way, by a close_notify whose FIN was not seen. An HTTP/2 body
// that ends short ends its stream, not the connection.
func closeNotified(e *Evidence) bool {
	if !e.Encrypted {
		return e.WantsTLS // in the handshake
	}
	return e.TLSEnd == io.EOF && !(e.Responded && e.Frames != nil)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

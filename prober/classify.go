package prober

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// Evidence becomes a Failure here, and nothing else looks inside errors: classify.go for connections and exchanges, classify_dns.go
// for lookups, classify_http2.go for frames and streams, classify_quic.go for HTTP/3, tls.go for alerts and certificates. What the socket saw comes first, types
// second, texts last; what fits nothing is unknown, never a guess. The precedence, first match wins:
//
//  1. what never left the host,
//  2. a flood: it ends the connection, and all that follows is our doing,
//  3. our own cancel, before any event,
//  4. a protocol's own word (TLS alert, GOAWAY, RST_STREAM): it arrived before the transport event that followed it,
//  5. the first transport event that was not our doing, if it came before our deadline,
//  6. our deadline, refined by TCP_INFO,
//  7. what could not be parsed.

// Ending says how an attempt's own time ended, if it did.
type Ending int

// The endings.
const (
	Running   Ending = iota // it had not ended
	Deadline                // the deadline struck
	Cancelled               // whoever wanted the probe left
)

// classify names the failure that evidence shows. It is pure: the phase is the caller's, all else is in the evidence.
func classify(e *Evidence) Failure {
	if e.Flood != nil {
		return Failure{Reason: PeerFlood, Origin: Self, Err: e.Flood}
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
	panic(fmt.Sprintf("prober: step %d is not classified", e.Step))
}

// ending says how our context ended, given the error that a step returned: a socket's deadline may strike a moment before the
// context's.
func (a *attempt) ending(err error) Ending {
	switch a.ctx.Err() {
	case nil:
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			return Deadline
		}
		return Running
	case context.Canceled:
		return Cancelled
	default:
		return Deadline
	}
}

// exhausted names an errno that says that this host is short of something.
func exhausted(errno syscall.Errno) (Reason, bool) {
	switch errno {
	case syscall.EMFILE, syscall.ENFILE:
		return LocalFDExhausted, true
	case syscall.EADDRNOTAVAIL, syscall.EADDRINUSE:
		return LocalPortExhausted, true
	case syscall.ENOBUFS, syscall.ENOMEM:
		return LocalNoResources, true
	}
	return "", false
}

// classifyDial names a TCP connection that was not established.
func classifyDial(e *Evidence) Failure {
	errno, _ := errnoOf(e.Err)
	reason, origin := reasonOfDial(e, errno)
	return Failure{Reason: reason, Errno: errno, Origin: origin, Err: e.Err}
}

func reasonOfDial(e *Evidence, errno syscall.Errno) (Reason, Origin) {
	if e.NoSource || errno == syscall.EAFNOSUPPORT && e.Wire.Info == nil { // IPv6 is switched off (ipv6(7)): by sysctl, or in the kernel
		return LocalNoRoute, Local
	}
	if reason, ok := exhausted(errno); ok {
		return reason, Local
	}
	if errno == 0 {
		switch e.Ended {
		case Cancelled:
			return Abandoned, Self
		case Deadline:
			return TCPTimedOut, Self
		}
		return Unknown, ""
	}
	if unsent(e.Wire) {
		return reasonOfUnsent(errno)
	}
	if errno == syscall.EHOSTUNREACH && neighbourSilent(e.Wire.Info) {
		return TCPAddressUnreachable, Local // ARP or ND failed on our own network
	}
	if e.ICMPFromHost {
		return LocalDenied, Local // a firewall on this host rejects
	}
	return reasonOfConnectErrno(errno, e.Wire.ICMP)
}

// unsent reports whether no segment was ever built: the error is this host's own.
func unsent(w *Wire) bool { return w.Info != nil && w.Info.SegsOut == 0 }

func reasonOfUnsent(errno syscall.Errno) (Reason, Origin) {
	switch errno {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN:
		return LocalNoRoute, Local
	case syscall.EPERM, syscall.EACCES:
		return LocalDenied, Local
	case syscall.EINVAL:
		return TCPAddressInvalid, Local
	}
	return TCPFailed, Local
}

// neighbourSilent reports whether the SYN was built, never put on the wire and tried again: retransmissions are counted only
// when a segment leaves.
func neighbourSilent(info *TCPInfo) bool {
	return info != nil && info.Retransmits > 0 && info.TotalRetrans == 0
}

func reasonOfConnectErrno(errno syscall.Errno, icmp *ICMP) (Reason, Origin) {
	answerer := Peer
	if icmp != nil {
		answerer = Path
	}
	switch errno {
	case syscall.ECONNREFUSED:
		return TCPRefused, answerer
	case syscall.ECONNRESET:
		return TCPReset, Peer // the handshake had completed: a RST to our SYN is ECONNREFUSED
	case syscall.ETIMEDOUT:
		return TCPTimedOut, Kernel
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.EACCES:
		return TCPAddressUnreachable, Path
	case syscall.ENETDOWN:
		return LocalNoRoute, Local
	case syscall.EPERM:
		return LocalDenied, Local
	case syscall.EINVAL:
		return TCPAddressInvalid, Local
	}
	return TCPFailed, answerer
}

// classifyStream names what ended an exchange, or a handshake, on an established connection.
func classifyStream(e *Evidence) Failure {
	f := Failure{Err: e.Err}
	cause := e.Wire.Cause
	if e.Ended != Running && cause != nil && cause.End > e.EndedAt {
		cause = nil // it came after we had given up
	}
	if e.Ended == Cancelled && cause == nil {
		f.Reason, f.Origin = Abandoned, Self
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
		f.Reason, f.Origin = reasonOfDeadline(e.Phase, e.Wire.Info, e.Handshaking), Self
		return f
	}
	f.Reason, f.Origin = malformed(e)
	return f
}

// classifyIdle names the end of an idle connection. Without an event of the socket TLS took its end, or bytes that nobody asked for came.
func classifyIdle(e *Evidence) Failure {
	f := Failure{Reason: TCPClosed, Origin: Peer}
	switch cause := e.Wire.Cause; {
	case e.Frames != nil && e.Frames.goAway:
		f.Reason = H2GoAway
	case cause != nil:
		f.Reason, f.Errno, f.Origin = reasonOfCause(e.Wire, cause)
		f.Err = cause.Err
	}
	return f
}

// spoken finds a protocol's own word about the failure: a proxy's answer, the body's compression, TLS, HTTP/2.
func spoken(e *Evidence) (Reason, Origin, bool) {
	if errors.Is(e.Err, errTooManyFields) {
		return HTTPHeadersTooLarge, Self, true // the reader is told before whatever ends the connection
	}
	if r, ok := errors.AsType[*refusal](e.Err); ok {
		return r.reason, Peer, true
	}
	if _, ok := errors.AsType[*decodeError](e.Err); ok {
		return HTTPResponseInvalid, Peer, true // the body itself had come to its end
	}
	if reason, origin, ok := classifyTLS(e.Err, e.TLS); ok {
		return reason, origin, true
	}
	if reason, origin, ok := spokenHTTP2(e); ok {
		return reason, origin, true
	}
	if !e.Responded {
		// net/http may have been told of a write error first. A TLS connection keeps what ended its reading.
		if number, ok := remoteAlert(e.TLSEnd); ok && number != alertCloseNotify {
			return reasonOfAlert(number, e.TLS != nil && e.TLS.ClientCertAsked), Peer, true
		}
	}
	return "", "", false
}

// reasonOfCause names a transport event. Linux hands out a reset's errno once: what a read or write saw later, or in the peer's
// CLOSE_WAIT, is put right by TCP_INFO, in whose bytes_received a FIN counts as one.
func reasonOfCause(w *Wire, cause *Event) (Reason, syscall.Errno, Origin) {
	fin := w.Info != nil && w.Info.BytesReceived > uint64(w.BytesReceived)
	switch {
	case cause.EOF && w.Info != nil && w.Info.State == "CLOSE" && !fin:
		return TCPReset, syscall.ECONNRESET, Peer
	case cause.EOF:
		return TCPClosed, 0, Peer
	case cause.Errno == syscall.ECONNRESET:
		return TCPReset, syscall.ECONNRESET, Peer
	case cause.Errno == syscall.EPIPE && fin:
		return TCPClosed, syscall.EPIPE, Peer
	case cause.Errno == syscall.EPIPE:
		return TCPReset, syscall.ECONNRESET, Peer
	case cause.Errno == syscall.ETIMEDOUT:
		return TCPAborted, cause.Errno, Kernel
	case cause.Errno == syscall.EHOSTUNREACH, cause.Errno == syscall.ENETUNREACH:
		return TCPAborted, cause.Errno, Path
	}
	if reason, ok := exhausted(cause.Errno); ok {
		return reason, cause.Errno, Local
	}
	return Unknown, cause.Errno, ""
}

// reasonOfDeadline tells the meanings of our own deadline apart by the state of TCP when it struck.
func reasonOfDeadline(phase Phase, info *TCPInfo, handshaking bool) Reason {
	switch {
	case info != nil && pathDead(info):
		return TCPAborted
	case handshaking:
		return TLSTimedOut
	case phase == Request:
		return TCPStalled
	default:
		return HTTPResponseTimedOut
	}
}

// pathDead reports whether nothing gets through any more: our data is being retransmitted without an acknowledgement, our keepalives
// are unanswered for longer than a round trip, or a hole in the received data is not filled.
func pathDead(i *TCPInfo) bool {
	unacknowledged := i.Unacked > 0 && (i.Backoff > 0 || i.Retransmits > 0)
	unanswered := i.Probes > 0 && i.Unacked == 0 && i.NotSent == 0 && i.LastAckRecv > keepAlive.Idle+max(4*i.RTT, 200*time.Millisecond)
	return unacknowledged || unanswered || i.OutOfOrderQueued
}

// malformed names a failure on a connection that was healthy.
func malformed(e *Evidence) (Reason, Origin) {
	phase, err := e.Phase, e.Err
	if isEOF(err) && closeNotified(e) {
		return TCPClosed, Peer
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "too much non-data"), strings.Contains(text, "suspiciously long trailer"): // net/http's own bounds
		return PeerFlood, Self
	case errors.Is(err, errHeadTooLarge), errors.Is(err, errTooManyInformations), strings.Contains(text, "server response headers exceeded"),
		strings.Contains(text, "response header list larger"), strings.Contains(text, "header list too large"):
		return HTTPHeadersTooLarge, Self
	case phase == Proxy:
		return HTTPProtocolError, Peer
	case phase == Transfer && e.Responded:
		return HTTPResponseInvalid, Peer
	case phase == Transfer:
		return HTTPProtocolError, Peer
	case strings.Contains(text, "net/http: invalid"), strings.Contains(text, "http: invalid"):
		return ProbeConfig, Self
	}
	return HTTPFailed, Peer
}

// closeNotified reports whether the peer closed the TLS way, by a close_notify whose FIN was not seen. An HTTP/2 body that ends short
// ends its stream, not the connection.
func closeNotified(e *Evidence) bool {
	if !e.Encrypted {
		return e.WantsTLS // in the handshake
	}
	return e.TLSEnd == io.EOF && !(e.Responded && e.Frames != nil)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

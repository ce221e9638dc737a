package prober

import (
	"context"
	"errors"
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
//  2. our own cancel, before any event,
//  3. a protocol's own word (TLS alert, GOAWAY, RST_STREAM): it arrived before the transport event that followed it,
//  4. the first transport event that was not our doing, if it came before our deadline,
//  5. our deadline, refined by TCP_INFO,
//  6. what could not be parsed.

// ending says how our own context ended, if it did.
type ending int

const (
	running ending = iota
	deadline
	cancelled
)

// ending says how our context ended, given the error that a step returned: a socket's deadline may strike a moment before the
// context's.
func (a *attempt) ending(err error) ending {
	switch a.ctx.Err() {
	case nil:
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			return deadline
		}
		return running
	case context.Canceled:
		return cancelled
	default:
		return deadline
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

// classifyConnect names a TCP connection that did not come about.
func classifyConnect(w *Wire, err error, ended ending) Failure {
	errno, _ := errnoOf(err)
	reason, origin := reasonOfConnect(w, errno, ended)
	return Failure{Reason: reason, Errno: errno, Origin: origin, Err: err}
}

func reasonOfConnect(w *Wire, errno syscall.Errno, ended ending) (Reason, Origin) {
	if reason, ok := exhausted(errno); ok {
		return reason, Local
	}
	if errno == 0 {
		switch ended {
		case cancelled:
			return Abandoned, Self
		case deadline:
			return TCPTimedOut, Self
		}
		return Unknown, ""
	}
	if unsent(w) {
		return reasonOfUnsent(errno)
	}
	if errno == syscall.EHOSTUNREACH && neighbourSilent(w.Info) {
		return TCPAddressUnreachable, Local // ARP or ND failed on our own network
	}
	if w.ICMP != nil && localAddress(w.ICMP.From) {
		return LocalDenied, Local // a firewall on this host rejects
	}
	return reasonOfConnectErrno(errno, w.ICMP)
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

// classify names what ended an established connection, in the phase given. The connection is closed by now.
func (h *hop) classify(phase Phase, err error) Failure {
	if h.quic != nil {
		return h.classifyQUIC(phase, err)
	}
	w := h.socket.seen()
	f := Failure{Err: err}
	cause, ended := w.Cause, h.ended()
	if ended != running && cause != nil && cause.End > h.socket.endedAt {
		cause = nil // it came after we had given up
	}
	if ended == cancelled && cause == nil {
		f.Reason, f.Origin = Abandoned, Self
		return f
	}
	if reason, origin, ok := h.spoken(err); ok {
		f.Reason, f.Origin = reason, origin
		return f
	}
	if cause != nil {
		f.Reason, f.Errno, f.Origin = reasonOfCause(w, cause)
		return f
	}
	if ended == deadline {
		f.Reason, f.Origin = reasonOfDeadline(phase, w.Info, h.handshaking(phase)), Self
		return f
	}
	f.Reason, f.Origin = h.malformed(phase, err)
	return f
}

// ended says whether our own context had struck on the socket.
func (h *hop) ended() ending {
	if h.socket.endedAt == 0 {
		return running
	}
	return h.attempt.ending(os.ErrDeadlineExceeded)
}

// handshaking reports whether TLS was being negotiated, with the target or with the proxy.
func (h *hop) handshaking(phase Phase) bool {
	return phase == TLS || phase == Proxy && h.stream == h.socket && h.proxyTLS
}

// spoken finds a protocol's own word about the failure: a proxy's answer, the body's compression, TLS, HTTP/2.
func (h *hop) spoken(err error) (Reason, Origin, bool) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reason, Peer, true
	}
	if _, ok := errors.AsType[*decodeError](err); ok {
		return HTTPResponseInvalid, Peer, true // the body itself had come to its end
	}
	if reason, origin, ok := classifyTLS(err, h.TLS); ok {
		return reason, origin, true
	}
	if reason, origin, ok := h.spokenHTTP2(err); ok {
		return reason, origin, true
	}
	if h.response == nil && h.stream != h.socket {
		// net/http may have been told of a write error first. A TLS connection keeps what ended its reading.
		if number, ok := remoteAlert(h.lastOfTLS()); ok && number != alertCloseNotify {
			return reasonOfAlert(number, h.TLS != nil && h.TLS.ClientCertAsked), Peer, true
		}
	}
	return "", "", false
}

// lastOfTLS is what ended the reading of the TLS connection on top of the socket, which is closed: what had been decrypted is read
// up, then crypto/tls repeats its error.
func (h *hop) lastOfTLS() error {
	var rest [512]byte
	for range 64 {
		if _, err := h.stream.Read(rest[:]); err != nil {
			return err
		}
	}
	return nil
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
func (h *hop) malformed(phase Phase, err error) (Reason, Origin) {
	if isEOF(err) && h.closeNotified() {
		return TCPClosed, Peer
	}
	text := err.Error()
	switch {
	case errors.Is(err, errHeadTooLarge), errors.Is(err, errTooManyInformations), strings.Contains(text, "server response headers exceeded"),
		strings.Contains(text, "response header list larger"), strings.Contains(text, "header list too large"):
		return HTTPHeadersTooLarge, Self
	case phase == Proxy:
		return HTTPProtocolError, Peer
	case phase == Transfer && h.response != nil:
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
func (h *hop) closeNotified() bool {
	if h.stream == h.socket {
		return h.request.URL.Scheme == "https" || h.proxyTLS // in the handshake
	}
	return h.lastOfTLS() == io.EOF && !(h.response != nil && h.secondProtocol())
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

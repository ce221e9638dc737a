package classify

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// verdict is what a classifier says, without phase and error.
type verdict struct {
	reason result.Reason
	errno  syscall.Errno
	origin result.Origin
}

// dialError nests an errno as the kernel, os and net nest it.
func dialError(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
}

func TestClassifyConnect(t *testing.T) {
	router, self := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("127.0.0.1")
	sent, kept := &result.TCPInfo{SegsOut: 1}, &result.TCPInfo{SegsOut: 0}
	silent := &result.TCPInfo{SegsOut: 1, Retransmits: 3}
	for _, row := range []struct {
		name  string
		wire  result.Wire
		err   error
		ended Ending
		want  verdict
	}{
		{"RST to the SYN", result.Wire{Info: sent}, dialError(syscall.ECONNREFUSED), Running,
			verdict{result.TCPRefused, syscall.ECONNREFUSED, result.Peer}},
		{"ICMP port unreachable from a router", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 3, Code: 3, From: router, Errno: syscall.ECONNREFUSED}},
			dialError(syscall.ECONNREFUSED), Running, verdict{result.TCPRefused, syscall.ECONNREFUSED, result.Path}},
		{"ICMP from ourselves", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 3, Code: 3, From: self, Errno: syscall.ECONNREFUSED}},
			dialError(syscall.ECONNREFUSED), Running, verdict{result.LocalDenied, syscall.ECONNREFUSED, result.Local}},
		{"ICMP admin prohibited", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 3, Code: 13, From: router, Errno: syscall.EHOSTUNREACH}},
			dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTUNREACH, result.Path}},
		{"ICMPv6 admin prohibited", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 1, Code: 1, From: router, Errno: syscall.EACCES}}, dialError(syscall.EACCES),
			Running, verdict{result.TCPAddressUnreachable, syscall.EACCES, result.Path}},
		{"ICMP protocol unreachable", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 3, Code: 2, From: router, Errno: syscall.ENOPROTOOPT}},
			dialError(syscall.ENOPROTOOPT), Running, verdict{result.TCPFailed, syscall.ENOPROTOOPT, result.Path}},
		{"neighbour does not answer ARP", result.Wire{Info: silent,
			ICMP: &result.ICMP{Type: 3, Code: 1, From: self, Errno: syscall.EHOSTUNREACH}},
			dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTUNREACH, result.Local}},
		// An earlier connection had asked for the neighbour, so that it is given up before our SYN is repeated.
		{"another connection waits for the same neighbour", result.Wire{Info: sent,
			ICMP: &result.ICMP{Type: 3, Code: 1, From: self, Errno: syscall.EHOSTUNREACH}},
			dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTUNREACH, result.Local}},
		{"no route", result.Wire{Info: kept}, dialError(syscall.ENETUNREACH), Running,
			verdict{result.LocalNoRoute, syscall.ENETUNREACH, result.Local}},
		{"interface down", result.Wire{Info: kept}, dialError(syscall.ENETDOWN), Running,
			verdict{result.LocalNoRoute, syscall.ENETDOWN, result.Local}},
		{"prohibit route", result.Wire{Info: kept}, dialError(syscall.EACCES), Running,
			verdict{result.LocalDenied, syscall.EACCES, result.Local}},
		{"blackhole route", result.Wire{Info: kept}, dialError(syscall.EINVAL), Running,
			verdict{result.TCPAddressInvalid, syscall.EINVAL, result.Local}},
		{"another local errno", result.Wire{Info: kept}, dialError(syscall.EAFNOSUPPORT), Running,
			verdict{result.TCPFailed, syscall.EAFNOSUPPORT, result.Local}},
		{"ports exhausted", result.Wire{Info: kept}, dialError(syscall.EADDRNOTAVAIL), Running,
			verdict{result.LocalPortExhausted, syscall.EADDRNOTAVAIL, result.Local}},
		{"IPv6 is not in the kernel", result.Wire{},
			&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)}, Running,
			verdict{result.LocalNoRoute, syscall.EAFNOSUPPORT, result.Local}},
		{"the local port is in use", result.Wire{Info: kept}, dialError(syscall.EADDRINUSE), Running,
			verdict{result.LocalPortExhausted, syscall.EADDRINUSE, result.Local}},
		{"descriptors exhausted, no socket", result.Wire{},
			&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, Running,
			verdict{result.LocalFDExhausted, syscall.EMFILE, result.Local}},
		{"system's descriptors exhausted", result.Wire{}, dialError(syscall.ENFILE), Running,
			verdict{result.LocalFDExhausted, syscall.ENFILE, result.Local}},
		{"no buffers", result.Wire{Info: sent}, dialError(syscall.ENOBUFS), Running,
			verdict{result.LocalNoResources, syscall.ENOBUFS, result.Local}},
		{"no memory", result.Wire{}, dialError(syscall.ENOMEM), Running,
			verdict{result.LocalNoResources, syscall.ENOMEM, result.Local}},
		{"reset right after the handshake", result.Wire{Info: &result.TCPInfo{SegsOut: 2, BytesAcked: 1}},
			dialError(syscall.ECONNRESET), Running, verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"the kernel gave up", result.Wire{Info: sent}, dialError(syscall.ETIMEDOUT), Running,
			verdict{result.TCPTimedOut, syscall.ETIMEDOUT, result.Kernel}},
		{"our deadline", result.Wire{Info: sent}, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, Deadline,
			verdict{result.TCPTimedOut, 0, result.Self}},
		{"our cancel", result.Wire{Info: sent}, &net.OpError{Op: "dial", Err: errors.New("operation was canceled")},
			Cancelled, verdict{result.Abandoned, 0, result.Self}},
		{"an errno beats our deadline", result.Wire{Info: sent}, dialError(syscall.ECONNREFUSED), Deadline,
			verdict{result.TCPRefused, syscall.ECONNREFUSED, result.Peer}},
		{"nothing known", result.Wire{}, errors.New("?"), Running, verdict{result.Unknown, 0, ""}},
		{"a source address that this host does not have", result.Wire{Info: kept},
			&net.OpError{Op: "dial", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}, Running,
			verdict{result.ProbeConfig, syscall.EADDRNOTAVAIL, result.Self}},
		{"a source address without a free port", result.Wire{Info: kept},
			&net.OpError{Op: "dial", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, Running,
			verdict{result.LocalPortExhausted, syscall.EADDRINUSE, result.Local}},
		{"a source address of the other family", result.Wire{},
			&net.OpError{Op: "dial", Err: &net.AddrError{Err: "the source is not of the target's address family"}},
			Running, verdict{result.ProbeConfig, 0, result.Self}},
		{"no route for a socket that a segment has left", result.Wire{Info: sent}, dialError(syscall.EAFNOSUPPORT),
			Running, verdict{result.TCPFailed, syscall.EAFNOSUPPORT, result.Peer}},
		{"refused by a neighbour that was silent before", result.Wire{Info: silent}, dialError(syscall.ECONNREFUSED),
			Running, verdict{result.TCPRefused, syscall.ECONNREFUSED, result.Peer}},
		{"SYNs left, then a router reports", result.Wire{Info: &result.TCPInfo{SegsOut: 2, Retransmits: 1,
			TotalRetrans: 1}}, dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTUNREACH, result.Path}},
		{"unreachable without TCP_INFO", result.Wire{}, dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTUNREACH, result.Path}},
		{"no host on our own route", result.Wire{Info: kept}, dialError(syscall.EHOSTUNREACH), Running,
			verdict{result.LocalNoRoute, syscall.EHOSTUNREACH, result.Local}},
		{"a firewall of this host drops the SYN", result.Wire{Info: kept}, dialError(syscall.EPERM), Running,
			verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"ICMP network unreachable", result.Wire{Info: sent}, dialError(syscall.ENETUNREACH), Running,
			verdict{result.TCPAddressUnreachable, syscall.ENETUNREACH, result.Path}},
		{"ICMP host isolated", result.Wire{Info: sent}, dialError(syscall.EHOSTDOWN), Running,
			verdict{result.TCPAddressUnreachable, syscall.EHOSTDOWN, result.Path}},
		{"interface down after the SYN", result.Wire{Info: sent}, dialError(syscall.ENETDOWN), Running,
			verdict{result.LocalNoRoute, syscall.ENETDOWN, result.Local}},
		{"a rule of this host after the SYN", result.Wire{Info: sent}, dialError(syscall.EPERM), Running,
			verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"an invalid address after the SYN", result.Wire{Info: sent}, dialError(syscall.EINVAL), Running,
			verdict{result.TCPAddressInvalid, syscall.EINVAL, result.Local}},
	} {
		f := Failure(&Evidence{Step: StepDial, Err: row.err, Wire: &row.wire, Ended: row.ended,
			ICMPFromHost: row.wire.ICMP != nil && row.wire.ICMP.From == self})
		if got := (verdict{f.Reason, f.Errno, f.Origin}); got != row.want {
			t.Errorf("%s: classify = %v, want %v", row.name, got, row.want)
		}
	}
	compareFailure(t, "no address of the family", &Evidence{Step: StepDial, Err: dialError(syscall.EADDRNOTAVAIL),
		Wire: &result.Wire{Info: kept}, NoSource: true},
		verdict{result.LocalNoRoute, syscall.EADDRNOTAVAIL, result.Local})
}

func TestReasonOfCause(t *testing.T) {
	for _, row := range []struct {
		name  string
		cause result.Event
		state string
		br    uint64 // bytes_received of TCP_INFO
		in    int64  // bytes read
		want  verdict
	}{
		{"reset seen by a read", result.Event{Errno: syscall.ECONNRESET}, "CLOSE", 10, 10,
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"phantom EOF after a reset", result.Event{EOF: true}, "CLOSE", 10, 10,
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"FIN", result.Event{EOF: true}, "CLOSE_WAIT", 11, 10, verdict{result.TCPClosed, 0, result.Peer}},
		{"FIN, then a reset", result.Event{EOF: true}, "CLOSE", 11, 10, verdict{result.TCPClosed, 0, result.Peer}},
		{"EPIPE after a FIN", result.Event{Op: result.OpWrite, Errno: syscall.EPIPE}, "CLOSE", 11, 10,
			verdict{result.TCPClosed, syscall.EPIPE, result.Peer}},
		{"the kernel gave up after a FIN", result.Event{Errno: syscall.ETIMEDOUT}, "CLOSE", 11, 10,
			verdict{result.TCPAborted, syscall.ETIMEDOUT, result.Kernel}},
		{"EPIPE after a reset", result.Event{Op: result.OpWrite, Errno: syscall.EPIPE}, "CLOSE", 10, 10,
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"the kernel gave up", result.Event{Errno: syscall.ETIMEDOUT}, "CLOSE", 0, 0,
			verdict{result.TCPAborted, syscall.ETIMEDOUT, result.Kernel}},
		{"ICMP took the timeout's place", result.Event{Errno: syscall.EHOSTUNREACH}, "CLOSE", 0, 0,
			verdict{result.TCPAborted, syscall.EHOSTUNREACH, result.Path}},
		{"no network while retransmitting", result.Event{Errno: syscall.ENETUNREACH}, "CLOSE", 0, 0,
			verdict{result.TCPAborted, syscall.ENETUNREACH, result.Path}},
		{"a reset after a FIN", result.Event{Errno: syscall.ECONNRESET}, "CLOSE", 11, 10,
			verdict{result.TCPReset, syscall.ECONNRESET, result.Peer}},
		{"an end in another state", result.Event{EOF: true}, "LAST_ACK", 10, 10,
			verdict{result.TCPClosed, 0, result.Peer}},
		{"no buffers", result.Event{Op: result.OpWrite, Errno: syscall.ENOBUFS}, "ESTABLISHED", 0, 0,
			verdict{result.LocalNoResources, syscall.ENOBUFS, result.Local}},
		{"nothing known", result.Event{Errno: syscall.EILSEQ}, "ESTABLISHED", 0, 0,
			verdict{result.Unknown, syscall.EILSEQ, ""}},
	} {
		w := &result.Wire{BytesReceived: row.in, Info: &result.TCPInfo{State: row.state, BytesReceived: row.br}}
		var got verdict
		got.reason, got.errno, got.origin = reasonOfCause(w, &row.cause)
		if got != row.want {
			t.Errorf("%s: reasonOfCause = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestReasonOfDeadline(t *testing.T) {
	for _, row := range []struct {
		name        string
		phase       result.Phase
		info        *result.TCPInfo
		handshaking bool
		want        result.Reason
		origin      result.Origin
	}{
		{"request not acknowledged", result.Processing, &result.TCPInfo{Unacked: 1, Retransmits: 3, Backoff: 3}, false,
			result.TCPAborted, result.Self},
		{"sent a moment ago", result.Processing, &result.TCPInfo{Unacked: 1}, false, result.HTTPResponseTimedOut, result.Self},
		{"keepalives answered", result.Processing, &result.TCPInfo{LastAckRecv: 400 * time.Millisecond}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"a keepalive on its way", result.Processing,
			&result.TCPInfo{Probes: 1, RTT: 80 * time.Millisecond, LastAckRecv: 1050 * time.Millisecond}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"keepalives unanswered", result.Transfer,
			&result.TCPInfo{Probes: 2, RTT: 80 * time.Millisecond, LastAckRecv: 2500 * time.Millisecond}, false,
			result.TCPAborted, result.Self},
		{"a hole that is not filled", result.Transfer, &result.TCPInfo{OutOfOrder: 4, OutOfOrderQueued: true}, false,
			result.TCPAborted, result.Self},
		{"reordering long past", result.Transfer, &result.TCPInfo{OutOfOrder: 4}, false, result.HTTPResponseTimedOut, result.Self},
		{"window closed", result.Request, &result.TCPInfo{NotSent: 9000, Backoff: 1}, false, result.TCPStalled, result.Self},
		{"ClientHello acknowledged", result.TLS, &result.TCPInfo{}, true, result.TLSTimedOut, result.Self},
		{"ClientHello lost", result.TLS, &result.TCPInfo{Unacked: 1, Backoff: 2}, true, result.TCPAborted, result.Self},
		{"CONNECT unanswered", result.Proxy, &result.TCPInfo{}, false, result.HTTPResponseTimedOut, result.Self},
		{"keepalives unanswered, and data too", result.Processing,
			&result.TCPInfo{Probes: 2, Unacked: 1, LastAckRecv: 2500 * time.Millisecond}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"keepalives unanswered, and data unsent", result.Processing,
			&result.TCPInfo{Probes: 2, NotSent: 1, LastAckRecv: 2500 * time.Millisecond}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"silence without keepalives", result.Processing, &result.TCPInfo{LastAckRecv: 2500 * time.Millisecond}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"retransmissions on the timer", result.Processing, &result.TCPInfo{Unacked: 1, Retransmits: 1}, false,
			result.TCPAborted, result.Self},
		{"backoff, nothing unacknowledged", result.Processing, &result.TCPInfo{Backoff: 1, Retransmits: 1}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"this host does not send the request", result.Processing,
			&result.TCPInfo{NotSent: 139, Probes: 3, Backoff: 3, SndMSS: 1448, SndWnd: 65160}, false,
			result.TCPAborted, result.Local},
		{"this host does not send the ClientHello", result.TLS,
			&result.TCPInfo{NotSent: 1500, Probes: 1, SndMSS: 1448, SndWnd: 1448}, true, result.TCPAborted, result.Local},
		{"a window smaller than a segment", result.Request,
			&result.TCPInfo{NotSent: 9000, Probes: 1, SndMSS: 1448, SndWnd: 1447}, false, result.TCPStalled, result.Self},
		{"written a moment ago", result.Processing, &result.TCPInfo{NotSent: 139, SndMSS: 1448, SndWnd: 65160}, false,
			result.HTTPResponseTimedOut, result.Self},
		{"no TCP_INFO on this system", result.Processing, nil, false, result.HTTPResponseTimedOut, result.Self},
	} {
		reason, origin := reasonOfDeadline(row.phase, row.info, row.handshaking)
		if reason != row.want || origin != row.origin {
			t.Errorf("%s: reasonOfDeadline = %s %s, want %s %s", row.name, reason, origin, row.want, row.origin)
		}
	}
}

func TestErrnoName(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		0: "", syscall.ECONNRESET: "ECONNRESET", syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EILSEQ: "OTHER",
		syscall.Errno(9999): "OTHER",
	} {
		if got := result.ErrnoName(errno); got != want {
			t.Errorf("ErrnoName(%d) = %q, want %q", int(errno), got, want)
		}
	}
}

func TestErrnoOfFindsTheErrnoInAnyChain(t *testing.T) {
	err := fmt.Errorf("probe: %w", fmt.Errorf("hop: %w", dialError(syscall.ECONNRESET)))
	if got, ok := Errno(err); got != syscall.ECONNRESET || !ok {
		t.Errorf("errnoOf = %v, %v, want ECONNRESET, true", got, ok)
	}
}

func TestSentence(t *testing.T) {
	for _, row := range []struct {
		failure result.Failure
		want    string
	}{
		{result.Failure{Phase: result.Processing, Reason: result.TCPReset, Errno: syscall.ECONNRESET},
			"connection reset by the peer while waiting for the response (ECONNRESET)"},
		{result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut}, "no answer to our SYN while connecting"},
		{result.Failure{Phase: result.Resolve, Reason: result.DNSNameNotResolved},
			"the name does not exist (NXDOMAIN)"},
		{result.Failure{Phase: result.Proxy, Reason: result.DNSNameNotResolved},
			"the name does not exist (NXDOMAIN) while setting up the tunnel through the proxy"},
		{result.Failure{Phase: result.Resolve, Reason: result.LocalFDExhausted, Errno: syscall.EMFILE},
			"out of file descriptors here while resolving the name (EMFILE)"},
		{result.Failure{Phase: result.Validate, Reason: result.HTTPRateLimited}, "rate limited"},
	} {
		if got := row.failure.Sentence(); got != row.want {
			t.Errorf("Sentence = %q, want %q", got, row.want)
		}
	}
}

package prober

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// verdict is what a classifier says, without phase and error.
type verdict struct {
	reason Reason
	errno  syscall.Errno
	origin Origin
}

// dialError nests an errno as the kernel, os and net nest it.
func dialError(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
}

func TestClassifyConnect(t *testing.T) {
	router, self := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("127.0.0.1")
	sent, kept := &TCPInfo{SegsOut: 1}, &TCPInfo{SegsOut: 0}
	silent := &TCPInfo{SegsOut: 1, Retransmits: 3}
	for _, row := range []struct {
		name  string
		wire  Wire
		err   error
		ended Ending
		want  verdict
	}{
		{"RST to the SYN", Wire{Info: sent}, dialError(syscall.ECONNREFUSED), Running, verdict{TCPRefused, syscall.ECONNREFUSED, Peer}},
		{"ICMP port unreachable from a router", Wire{Info: sent, ICMP: &ICMP{3, 3, router, syscall.ECONNREFUSED}}, dialError(syscall.ECONNREFUSED), Running, verdict{TCPRefused, syscall.ECONNREFUSED, Path}},
		{"ICMP from ourselves", Wire{Info: sent, ICMP: &ICMP{3, 3, self, syscall.ECONNREFUSED}}, dialError(syscall.ECONNREFUSED), Running, verdict{LocalDenied, syscall.ECONNREFUSED, Local}},
		{"ICMP admin prohibited", Wire{Info: sent, ICMP: &ICMP{3, 13, router, syscall.EHOSTUNREACH}}, dialError(syscall.EHOSTUNREACH), Running, verdict{TCPAddressUnreachable, syscall.EHOSTUNREACH, Path}},
		{"ICMPv6 admin prohibited", Wire{Info: sent, ICMP: &ICMP{1, 1, router, syscall.EACCES}}, dialError(syscall.EACCES), Running, verdict{TCPAddressUnreachable, syscall.EACCES, Path}},
		{"ICMP protocol unreachable", Wire{Info: sent, ICMP: &ICMP{3, 2, router, syscall.ENOPROTOOPT}}, dialError(syscall.ENOPROTOOPT), Running, verdict{TCPFailed, syscall.ENOPROTOOPT, Path}},
		{"neighbour does not answer ARP", Wire{Info: silent, ICMP: &ICMP{3, 1, self, syscall.EHOSTUNREACH}}, dialError(syscall.EHOSTUNREACH), Running, verdict{TCPAddressUnreachable, syscall.EHOSTUNREACH, Local}},
		{"no route", Wire{Info: kept}, dialError(syscall.ENETUNREACH), Running, verdict{LocalNoRoute, syscall.ENETUNREACH, Local}},
		{"interface down", Wire{Info: kept}, dialError(syscall.ENETDOWN), Running, verdict{LocalNoRoute, syscall.ENETDOWN, Local}},
		{"prohibit route", Wire{Info: kept}, dialError(syscall.EACCES), Running, verdict{LocalDenied, syscall.EACCES, Local}},
		{"blackhole route", Wire{Info: kept}, dialError(syscall.EINVAL), Running, verdict{TCPAddressInvalid, syscall.EINVAL, Local}},
		{"another local errno", Wire{Info: kept}, dialError(syscall.EAFNOSUPPORT), Running, verdict{TCPFailed, syscall.EAFNOSUPPORT, Local}},
		{"ports exhausted", Wire{Info: kept}, dialError(syscall.EADDRNOTAVAIL), Running, verdict{LocalPortExhausted, syscall.EADDRNOTAVAIL, Local}},
		{"IPv6 is not in the kernel", Wire{}, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)}, Running, verdict{LocalNoRoute, syscall.EAFNOSUPPORT, Local}},
		{"descriptors exhausted, no socket", Wire{}, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, Running, verdict{LocalFDExhausted, syscall.EMFILE, Local}},
		{"system's descriptors exhausted", Wire{}, dialError(syscall.ENFILE), Running, verdict{LocalFDExhausted, syscall.ENFILE, Local}},
		{"no buffers", Wire{Info: sent}, dialError(syscall.ENOBUFS), Running, verdict{LocalNoResources, syscall.ENOBUFS, Local}},
		{"no memory", Wire{}, dialError(syscall.ENOMEM), Running, verdict{LocalNoResources, syscall.ENOMEM, Local}},
		{"reset right after the handshake", Wire{Info: &TCPInfo{SegsOut: 2, BytesAcked: 1}}, dialError(syscall.ECONNRESET), Running, verdict{TCPReset, syscall.ECONNRESET, Peer}},
		{"the kernel gave up", Wire{Info: sent}, dialError(syscall.ETIMEDOUT), Running, verdict{TCPTimedOut, syscall.ETIMEDOUT, Kernel}},
		{"our deadline", Wire{Info: sent}, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, Deadline, verdict{TCPTimedOut, 0, Self}},
		{"our cancel", Wire{Info: sent}, &net.OpError{Op: "dial", Err: errors.New("operation was canceled")}, Cancelled, verdict{Abandoned, 0, Self}},
		{"an errno beats our deadline", Wire{Info: sent}, dialError(syscall.ECONNREFUSED), Deadline, verdict{TCPRefused, syscall.ECONNREFUSED, Peer}},
		{"nothing known", Wire{}, errors.New("?"), Running, verdict{Unknown, 0, ""}},
	} {
		f := classify(dialEvidence(&row.wire, row.err, row.ended))
		if got := (verdict{f.Reason, f.Errno, f.Origin}); got != row.want {
			t.Errorf("%s: classify = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestReasonOfCause(t *testing.T) {
	for _, row := range []struct {
		name  string
		cause Event
		state string
		br    uint64 // bytes_received of TCP_INFO
		in    int64  // bytes read
		want  verdict
	}{
		{"reset seen by a read", Event{Errno: syscall.ECONNRESET}, "CLOSE", 10, 10, verdict{TCPReset, syscall.ECONNRESET, Peer}},
		{"phantom EOF after a reset", Event{EOF: true}, "CLOSE", 10, 10, verdict{TCPReset, syscall.ECONNRESET, Peer}},
		{"FIN", Event{EOF: true}, "CLOSE_WAIT", 11, 10, verdict{TCPClosed, 0, Peer}},
		{"FIN, then a reset", Event{EOF: true}, "CLOSE", 11, 10, verdict{TCPClosed, 0, Peer}},
		{"EPIPE after a FIN", Event{Op: OpWrite, Errno: syscall.EPIPE}, "CLOSE", 11, 10, verdict{TCPClosed, syscall.EPIPE, Peer}},
		{"EPIPE after a reset", Event{Op: OpWrite, Errno: syscall.EPIPE}, "CLOSE", 10, 10, verdict{TCPReset, syscall.ECONNRESET, Peer}},
		{"the kernel gave up", Event{Errno: syscall.ETIMEDOUT}, "CLOSE", 0, 0, verdict{TCPAborted, syscall.ETIMEDOUT, Kernel}},
		{"ICMP took the timeout's place", Event{Errno: syscall.EHOSTUNREACH}, "CLOSE", 0, 0, verdict{TCPAborted, syscall.EHOSTUNREACH, Path}},
		{"no buffers", Event{Op: OpWrite, Errno: syscall.ENOBUFS}, "ESTABLISHED", 0, 0, verdict{LocalNoResources, syscall.ENOBUFS, Local}},
		{"nothing known", Event{Errno: syscall.EILSEQ}, "ESTABLISHED", 0, 0, verdict{Unknown, syscall.EILSEQ, ""}},
	} {
		w := &Wire{BytesReceived: row.in, Info: &TCPInfo{State: row.state, BytesReceived: row.br}}
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
		phase       Phase
		info        *TCPInfo
		handshaking bool
		want        Reason
	}{
		{"request not acknowledged", Processing, &TCPInfo{Unacked: 1, Retransmits: 3, Backoff: 3}, false, TCPAborted},
		{"sent a moment ago", Processing, &TCPInfo{Unacked: 1}, false, HTTPResponseTimedOut},
		{"keepalives answered", Processing, &TCPInfo{LastAckRecv: 400 * time.Millisecond}, false, HTTPResponseTimedOut},
		{"a keepalive on its way", Processing, &TCPInfo{Probes: 1, RTT: 80 * time.Millisecond, LastAckRecv: 1050 * time.Millisecond}, false, HTTPResponseTimedOut},
		{"keepalives unanswered", Transfer, &TCPInfo{Probes: 2, RTT: 80 * time.Millisecond, LastAckRecv: 2500 * time.Millisecond}, false, TCPAborted},
		{"a hole that is not filled", Transfer, &TCPInfo{OutOfOrder: 4, OutOfOrderQueued: true}, false, TCPAborted},
		{"reordering long past", Transfer, &TCPInfo{OutOfOrder: 4}, false, HTTPResponseTimedOut},
		{"window closed", Request, &TCPInfo{NotSent: 9000, Backoff: 1}, false, TCPStalled},
		{"ClientHello acknowledged", TLS, &TCPInfo{}, true, TLSTimedOut},
		{"ClientHello lost", TLS, &TCPInfo{Unacked: 1, Backoff: 2}, true, TCPAborted},
		{"CONNECT unanswered", Proxy, &TCPInfo{}, false, HTTPResponseTimedOut},
		{"no TCP_INFO on this system", Processing, nil, false, HTTPResponseTimedOut},
	} {
		if got := reasonOfDeadline(row.phase, row.info, row.handshaking); got != row.want {
			t.Errorf("%s: reasonOfDeadline = %s, want %s", row.name, got, row.want)
		}
	}
}

func TestReasonOfLookup(t *testing.T) {
	ask := func(question string, rcode, answers int, err error) DNSExchange {
		e := DNSExchange{Network: "udp", Question: question, Sent: question != "", RCode: rcode, Answers: answers, Err: err}
		e.Errno, _ = errnoOf(err)
		return e
	}
	notFound := &net.DNSError{Err: "no such host", IsNotFound: true}
	misbehaving := &net.DNSError{Err: "server misbehaving"}
	timeout := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	tcpEOF := ask("a. A", noRCode, 0, io.EOF)
	tcpEOF.Network = "tcp"
	for _, row := range []struct {
		name      string
		exchanges []DNSExchange
		err       error
		ended     Ending
		want      verdict
	}{
		{"both families NXDOMAIN", []DNSExchange{ask("a. A", 3, 0, nil), ask("a. AAAA", 3, 0, nil)}, notFound, Running, verdict{DNSNameNotResolved, 0, Peer}},
		{"both families empty", []DNSExchange{ask("a. A", 0, 0, nil), ask("a. AAAA", 0, 0, nil)}, notFound, Running, verdict{DNSNoData, 0, Peer}},
		{"search list: the last name is empty", []DNSExchange{ask("a.b. A", 3, 0, nil), ask("a. A", 0, 0, nil)}, notFound, Running, verdict{DNSNoData, 0, Peer}},
		{"SERVFAIL beats empty", []DNSExchange{ask("a. A", 2, 0, nil), ask("a. AAAA", 0, 0, nil)}, misbehaving, Running, verdict{DNSServfail, 0, Peer}},
		{"the second try counts", []DNSExchange{ask("a. A", noRCode, 0, timeout), ask("a. A", 3, 0, nil)}, notFound, Running, verdict{DNSNameNotResolved, 0, Peer}},
		{"REFUSED", []DNSExchange{ask("a. A", 5, 0, nil)}, misbehaving, Running, verdict{DNSRefused, 0, Peer}},
		{"FORMERR", []DNSExchange{ask("a. A", 1, 0, nil)}, misbehaving, Running, verdict{DNSProtocol, 0, Peer}},
		{"NOTIMP", []DNSExchange{ask("a. A", 4, 0, nil)}, misbehaving, Running, verdict{DNSProtocol, 0, Peer}},
		{"lame", []DNSExchange{ask("a. A", 0, 0, nil)}, &net.DNSError{Err: "lame referral"}, Running, verdict{DNSProtocol, 0, Peer}},
		{"the resolver's patience ends", []DNSExchange{ask("a. A", noRCode, 0, timeout)}, &net.DNSError{IsTimeout: true}, Running, verdict{DNSTimedOut, 0, Self}},
		{"our deadline ends", []DNSExchange{ask("a. A", noRCode, 0, nil)}, os.ErrDeadlineExceeded, Deadline, verdict{DNSTimedOut, 0, Self}},
		{"closed port", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.ECONNREFUSED))}, misbehaving, Running, verdict{DNSUnreachable, syscall.ECONNREFUSED, Path}},
		{"router says unreachable", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.EHOSTUNREACH))}, misbehaving, Running, verdict{DNSUnreachable, syscall.EHOSTUNREACH, Path}},
		{"no route to the resolver", []DNSExchange{ask("", noRCode, 0, dialError(syscall.ENETUNREACH))}, misbehaving, Running, verdict{LocalNoRoute, syscall.ENETUNREACH, Local}},
		{"a firewall on the way", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.EACCES))}, misbehaving, Running, verdict{DNSUnreachable, syscall.EACCES, Path}},
		{"local firewall", []DNSExchange{ask("", noRCode, 0, dialError(syscall.EPERM))}, misbehaving, Running, verdict{LocalDenied, syscall.EPERM, Local}},
		{"descriptors exhausted", []DNSExchange{ask("", noRCode, 0, dialError(syscall.EMFILE))}, misbehaving, Running, verdict{LocalFDExhausted, syscall.EMFILE, Local}},
		{"refused once, silent for the other family", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.ECONNREFUSED)), ask("a. AAAA", noRCode, 0, timeout)}, misbehaving, Deadline, verdict{DNSUnreachable, syscall.ECONNREFUSED, Path}},
		{"refused at first, silent at last", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.ECONNREFUSED)), ask("a. A", noRCode, 0, nil)}, misbehaving, Deadline, verdict{DNSUnreachable, syscall.ECONNREFUSED, Path}},
		{"refused for a name of the search list, silent at last", []DNSExchange{ask("a.b. A", noRCode, 0, dialError(syscall.ECONNREFUSED)), ask("a. A", noRCode, 0, timeout)}, misbehaving, Running, verdict{DNSUnreachable, syscall.ECONNREFUSED, Path}},
		{"refused by one server, SERVFAIL by another", []DNSExchange{ask("a. A", noRCode, 0, dialError(syscall.ECONNREFUSED)), ask("a. A", 2, 0, nil)}, misbehaving, Running, verdict{DNSServfail, 0, Peer}},
		{"an answer to another question", []DNSExchange{ask("a. A", noRCode, 0, errAnotherQuestion)}, errAnotherQuestion, Running, verdict{DNSProtocol, 0, Peer}},
		{"a loop of aliases", []DNSExchange{ask("a. A", 0, 2, errLoop), ask("a. AAAA", 0, 0, nil)}, notFound, Running, verdict{DNSProtocol, 0, Peer}},
		{"truncated, then TCP closes", []DNSExchange{tcpEOF}, &net.DNSError{Err: "EOF"}, Running, verdict{DNSProtocol, 0, Peer}},
		{"a name that can never be asked", nil, notFound, Running, verdict{ProbeConfig, 0, Self}},
		{"cancelled", []DNSExchange{ask("a. A", noRCode, 0, nil)}, errors.New("operation was canceled"), Cancelled, verdict{Abandoned, 0, Self}},
		{"nothing known", []DNSExchange{ask("a. A", 9, 0, nil)}, misbehaving, Running, verdict{DNSFailed, 0, Peer}},
	} {
		var got verdict
		got.reason, got.errno, got.origin = reasonOfLookup(&Lookup{Exchanges: row.exchanges}, row.err, row.ended)
		if got != row.want {
			t.Errorf("%s: reasonOfLookup = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestErrnoName(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		0: "", syscall.ECONNRESET: "ECONNRESET", syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EILSEQ: "OTHER", syscall.Errno(9999): "OTHER",
	} {
		if got := ErrnoName(errno); got != want {
			t.Errorf("ErrnoName(%d) = %q, want %q", int(errno), got, want)
		}
	}
}

func TestErrnoOfFindsTheErrnoInAnyChain(t *testing.T) {
	err := fmt.Errorf("probe: %w", fmt.Errorf("hop: %w", dialError(syscall.ECONNRESET)))
	if got, ok := errnoOf(err); got != syscall.ECONNRESET || !ok {
		t.Errorf("errnoOf = %v, %v, want ECONNRESET, true", got, ok)
	}
}

func TestSentence(t *testing.T) {
	for _, row := range []struct {
		failure Failure
		want    string
	}{
		{Failure{Phase: Processing, Reason: TCPReset, Errno: syscall.ECONNRESET}, "connection reset by the peer while waiting for the response (ECONNRESET)"},
		{Failure{Phase: Connect, Reason: TCPTimedOut}, "no answer to our SYN while connecting"},
		{Failure{Phase: Resolve, Reason: DNSNameNotResolved}, "the name does not exist (NXDOMAIN)"},
		{Failure{Phase: Proxy, Reason: DNSNameNotResolved}, "the name does not exist (NXDOMAIN) while setting up the tunnel through the proxy"},
		{Failure{Phase: Resolve, Reason: LocalFDExhausted, Errno: syscall.EMFILE}, "out of file descriptors here while resolving the name (EMFILE)"},
		{Failure{Phase: Validate, Reason: HTTPRateLimited}, "rate limited"},
	} {
		if got := row.failure.Sentence(); got != row.want {
			t.Errorf("Sentence = %q, want %q", got, row.want)
		}
	}
}

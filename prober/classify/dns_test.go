package classify

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"errno_exporter/prober/result"
)

func TestReasonOfLookup(t *testing.T) {
	ask := func(question string, rcode, answers int, err error) result.DNSExchange {
		e := result.DNSExchange{Network: "udp", Question: question, Sent: question != "", RCode: rcode,
			Answers: answers, Err: err}
		e.Errno, _ = Errno(err)
		return e
	}
	notFound := &net.DNSError{Err: "no such host", IsNotFound: true}
	misbehaving := &net.DNSError{Err: "server misbehaving"}
	timeout := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	overTCP := func(e result.DNSExchange) result.DNSExchange { e.Network = "tcp"; return e }
	truncated := func(e result.DNSExchange) result.DNSExchange { e.Truncated = true; return e }
	tcpEOF := overTCP(ask("a. A", result.NoRCode, 0, io.EOF))
	for _, row := range []struct {
		name      string
		exchanges []result.DNSExchange
		err       error
		ended     Ending
		want      verdict
	}{
		{"both families NXDOMAIN", []result.DNSExchange{ask("a. A", 3, 0, nil), ask("a. AAAA", 3, 0, nil)}, notFound,
			Running, verdict{result.DNSNameNotResolved, 0, result.Peer}},
		{"both families empty", []result.DNSExchange{ask("a. A", 0, 0, nil), ask("a. AAAA", 0, 0, nil)}, notFound,
			Running, verdict{result.DNSNoData, 0, result.Peer}},
		{"search list: the last name is empty", []result.DNSExchange{ask("a.b. A", 3, 0, nil), ask("a. A", 0, 0, nil)},
			notFound, Running, verdict{result.DNSNoData, 0, result.Peer}},
		{"SERVFAIL beats empty", []result.DNSExchange{ask("a. A", 2, 0, nil), ask("a. AAAA", 0, 0, nil)}, misbehaving,
			Running, verdict{result.DNSServfail, 0, result.Peer}},
		{"the second try counts", []result.DNSExchange{ask("a. A", result.NoRCode, 0, timeout), ask("a. A", 3, 0, nil)},
			notFound, Running, verdict{result.DNSNameNotResolved, 0, result.Peer}},
		{"REFUSED", []result.DNSExchange{ask("a. A", 5, 0, nil)}, misbehaving, Running,
			verdict{result.DNSRefused, 0, result.Peer}},
		{"FORMERR", []result.DNSExchange{ask("a. A", 1, 0, nil)}, misbehaving, Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"NOTIMP", []result.DNSExchange{ask("a. A", 4, 0, nil)}, misbehaving, Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"lame", []result.DNSExchange{ask("a. A", 0, 0, nil)}, &net.DNSError{Err: "lame referral"}, Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"the resolver's patience ends", []result.DNSExchange{ask("a. A", result.NoRCode, 0, timeout)},
			&net.DNSError{IsTimeout: true}, Running, verdict{result.DNSTimedOut, 0, result.Self}},
		{"our deadline ends", []result.DNSExchange{ask("a. A", result.NoRCode, 0, nil)}, os.ErrDeadlineExceeded,
			Deadline, verdict{result.DNSTimedOut, 0, result.Self}},
		{"closed port", []result.DNSExchange{ask("a. A", result.NoRCode, 0, dialError(syscall.ECONNREFUSED))},
			misbehaving, Running, verdict{result.DNSUnreachable, syscall.ECONNREFUSED, result.Path}},
		{"router says unreachable", []result.DNSExchange{ask("a. A", result.NoRCode, 0,
			dialError(syscall.EHOSTUNREACH))}, misbehaving, Running,
			verdict{result.DNSUnreachable, syscall.EHOSTUNREACH, result.Path}},
		{"no route to the resolver", []result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.ENETUNREACH))},
			misbehaving, Running, verdict{result.LocalNoRoute, syscall.ENETUNREACH, result.Local}},
		{"a firewall on the way", []result.DNSExchange{ask("a. A", result.NoRCode, 0, dialError(syscall.EACCES))},
			misbehaving, Running, verdict{result.DNSUnreachable, syscall.EACCES, result.Path}},
		{"local firewall", []result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.EPERM))}, misbehaving,
			Running, verdict{result.LocalDenied, syscall.EPERM, result.Local}},
		{"a prohibit route to the resolver",
			[]result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.EACCES))}, misbehaving, Running,
			verdict{result.LocalDenied, syscall.EACCES, result.Local}},
		{"ICMP protocol unreachable from the resolver",
			[]result.DNSExchange{ask("a. A", result.NoRCode, 0, dialError(syscall.ENOPROTOOPT))}, misbehaving, Running,
			verdict{result.DNSUnreachable, syscall.ENOPROTOOPT, result.Path}},
		{"refused at first, closed over TCP at last", []result.DNSExchange{ask("a. A", result.NoRCode, 0,
			dialError(syscall.ECONNREFUSED)), tcpEOF}, misbehaving, Running, verdict{result.DNSProtocol, 0, result.Peer}},
		{"a code over TCP, and an error", []result.DNSExchange{overTCP(ask("a. A", 9, 0, io.EOF))}, misbehaving, Running,
			verdict{result.DNSFailed, 0, result.Peer}},
		{"an error over UDP before our deadline", []result.DNSExchange{ask("a. A", result.NoRCode, 0, errors.New("?"))},
			os.ErrDeadlineExceeded, Deadline, verdict{result.DNSTimedOut, 0, result.Self}},
		{"empty, without an error of the resolver", []result.DNSExchange{ask("a. A", 0, 0, nil)}, errors.New("?"),
			Running, verdict{result.DNSFailed, 0, result.Peer}},
		{"SERVFAIL at first, empty at last", []result.DNSExchange{ask("a. A", 2, 0, nil), ask("a. A", 0, 0, nil)},
			notFound, Running, verdict{result.DNSNoData, 0, result.Peer}},
		{"truncated and empty, then an answer to the other family",
			[]result.DNSExchange{truncated(ask("a. A", 0, 0, nil)), ask("a. AAAA", 0, 1, nil)}, notFound, Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"nobody was asked, though a server is to blame", nil, misbehaving, Running,
			verdict{result.DNSFailed, 0, result.Self}},
		{"we closed the connection", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, net.ErrClosed))},
			misbehaving, Running, verdict{result.DNSTimedOut, 0, result.Self}},
		{"we closed a pipe", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, io.ErrClosedPipe))},
			misbehaving, Running, verdict{result.DNSTimedOut, 0, result.Self}},
		{"descriptors exhausted", []result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.EMFILE))},
			misbehaving, Running, verdict{result.LocalFDExhausted, syscall.EMFILE, result.Local}},
		{"no local port for a question", []result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.EAGAIN))},
			misbehaving, Running, verdict{result.LocalPortExhausted, syscall.EAGAIN, result.Local}},
		{"refused once, silent for the other family",
			[]result.DNSExchange{ask("a. A", result.NoRCode, 0, dialError(syscall.ECONNREFUSED)),
				ask("a. AAAA", result.NoRCode, 0, timeout)}, misbehaving, Deadline,
			verdict{result.DNSUnreachable, syscall.ECONNREFUSED, result.Path}},
		{"refused at first, silent at last", []result.DNSExchange{ask("a. A", result.NoRCode, 0,
			dialError(syscall.ECONNREFUSED)), ask("a. A", result.NoRCode, 0, nil)}, misbehaving, Deadline,
			verdict{result.DNSUnreachable, syscall.ECONNREFUSED, result.Path}},
		{"refused for a name of the search list, silent at last",
			[]result.DNSExchange{ask("a.b. A", result.NoRCode, 0, dialError(syscall.ECONNREFUSED)),
				ask("a. A", result.NoRCode, 0, timeout)}, misbehaving, Running,
			verdict{result.DNSUnreachable, syscall.ECONNREFUSED, result.Path}},
		{"refused by one server, SERVFAIL by another",
			[]result.DNSExchange{ask("a. A", result.NoRCode, 0, dialError(syscall.ECONNREFUSED)),
				ask("a. A", 2, 0, nil)}, misbehaving, Running, verdict{result.DNSServfail, 0, result.Peer}},
		{"an answer to another question", []result.DNSExchange{ask("a. A", result.NoRCode, 0,
			UnusableAnswer("another question"))}, UnusableAnswer("another question"), Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"a loop of aliases", []result.DNSExchange{ask("a. A", 0, 2, UnusableAnswer("a loop")),
			ask("a. AAAA", 0, 0, nil)}, notFound, Running, verdict{result.DNSProtocol, 0, result.Peer}},
		{"truncated, then TCP closes", []result.DNSExchange{tcpEOF}, &net.DNSError{Err: "EOF"}, Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"a name that can never be asked", nil, notFound, Running, verdict{result.ProbeConfig, 0, result.Self}},
		{"a flood, then silence", []result.DNSExchange{ask("a. AAAA", result.NoRCode, 0,
			&FloodError{Unit: "answers", Count: 1001}), ask("a. A", result.NoRCode, 0, nil)}, timeout, Deadline,
			verdict{result.PeerFlood, 0, result.Self}},
		{"cancelled", []result.DNSExchange{ask("a. A", result.NoRCode, 0, nil)}, errors.New("operation was canceled"),
			Cancelled, verdict{result.Abandoned, 0, result.Self}},
		{"truncated, over UDP", []result.DNSExchange{truncated(ask("a. A", 0, 0, nil))}, errors.New("?"), Running,
			verdict{result.DNSProtocol, 0, result.Peer}},
		{"useless records over TLS", []result.DNSExchange{ask("a. A", result.NoRCode, 0,
			errors.New("tls: too many ignored records"))}, misbehaving, Running,
			verdict{result.PeerFlood, 0, result.Self}},
		{"a flood", []result.DNSExchange{ask("a. A", result.NoRCode, 0, &FloodError{Unit: "datagrams"})}, misbehaving,
			Running, verdict{result.PeerFlood, 0, result.Self}},
		{"empty, then an answer to the other family",
			[]result.DNSExchange{ask("a. A", 0, 0, nil), ask("a. AAAA", 0, 1, nil)}, notFound, Running,
			verdict{result.DNSNoData, 0, result.Peer}},
		{"an unknown code without an error of the resolver", []result.DNSExchange{ask("a. A", 9, 0, nil)},
			errors.New("?"), Running, verdict{result.DNSFailed, 0, result.Peer}},
		{"an error over UDP", []result.DNSExchange{ask("a. A", result.NoRCode, 0, errors.New("?"))}, errors.New("?"),
			Running, verdict{result.DNSFailed, 0, result.Peer}},
		{"a code, and our deadline", []result.DNSExchange{ask("a. A", 9, 0, nil)}, os.ErrDeadlineExceeded, Deadline,
			verdict{result.DNSFailed, 0, result.Peer}},
		{"our own end over TCP", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, timeout))}, timeout,
			Running, verdict{result.DNSTimedOut, 0, result.Self}},
		{"no answer over TCP", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, nil))}, timeout, Running,
			verdict{result.DNSTimedOut, 0, result.Self}},
		{"a closed port over TCP", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0,
			dialError(syscall.ECONNREFUSED)))}, misbehaving, Running,
			verdict{result.DNSUnreachable, syscall.ECONNREFUSED, result.Peer}},
		{"no route over TCP", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0,
			dialError(syscall.ENETUNREACH)))}, misbehaving, Running,
			verdict{result.DNSUnreachable, syscall.ENETUNREACH, result.Path}},
		{"a reset", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, dialError(syscall.ECONNRESET)))},
			misbehaving, Running, verdict{result.DNSProtocol, syscall.ECONNRESET, result.Peer}},
		{"a closed pipe", []result.DNSExchange{overTCP(ask("a. A", result.NoRCode, 0, dialError(syscall.EPIPE)))},
			misbehaving, Running, verdict{result.DNSProtocol, syscall.EPIPE, result.Peer}},
		{"no host on our own route to the resolver",
			[]result.DNSExchange{ask("", result.NoRCode, 0, dialError(syscall.EHOSTUNREACH))}, misbehaving, Running,
			verdict{result.LocalNoRoute, syscall.EHOSTUNREACH, result.Local}},
		{"the interface to the resolver is down", []result.DNSExchange{ask("", result.NoRCode, 0,
			dialError(syscall.ENETDOWN))}, misbehaving, Running,
			verdict{result.LocalNoRoute, syscall.ENETDOWN, result.Local}},
		{"a name that is an address of another family", nil, &net.AddrError{Err: "?"}, Running,
			verdict{result.ProbeConfig, 0, result.Self}},
		{"nobody was asked", nil, errors.New("?"), Running, verdict{result.DNSFailed, 0, result.Self}},
		{"nobody was asked before the deadline", nil, notFound, Deadline, verdict{result.DNSTimedOut, 0, result.Self}},
		{"nothing known", []result.DNSExchange{ask("a. A", 9, 0, nil)}, misbehaving, Running,
			verdict{result.DNSFailed, 0, result.Peer}},
	} {
		compareFailure(t, row.name, &Evidence{Step: StepLookup, Lookup: &result.Lookup{Exchanges: row.exchanges},
			Err: row.err, Ended: row.ended}, row.want)
	}
}

package classify

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/prober/result"
)

// classifyLookup names a lookup that failed. The wire decides; Go's error only says which question it gave up on.
func classifyLookup(e *Evidence) result.Failure {
	reason, errno, origin := reasonOfLookup(e.Lookup, e.Err, e.Ended)
	f := result.Failure{Reason: reason, Errno: errno, Origin: origin, Err: e.Err}
	if e.Lookup == nil || origin != result.Peer {
		return f
	}
	if last := lastExchange(e.Lookup); last != nil && len(last.Extended) > 0 {
		f.Extended = &last.Extended[0]
	}
	return f
}

func reasonOfLookup(l *result.Lookup, err error, ended Ending) (result.Reason, syscall.Errno, result.Origin) {
	if ended == Cancelled {
		return result.Abandoned, 0, result.Self
	}
	last := lastExchange(l)
	if last == nil {
		return classifyUnasked(err, ended)
	}
	if last.RCode == result.NoRCode && (last.Err == nil || OurDoing(last.Err)) {
		last = explainedExchange(l, last)
	}
	if isFlood(last.Err) {
		return result.PeerFlood, 0, result.Self
	}
	if last.Errno != 0 {
		return classifyResolverErrno(last)
	}
	if contradictory(last.Err) || contradictory(err) {
		return result.DNSProtocol, 0, result.Peer
	}
	if reason, ok := rcodeReasons[last.RCode]; ok {
		return reason, 0, result.Peer
	}
	switch dns, _ := errors.AsType[*net.DNSError](err); {
	case last.RCode == result.NoRCode && last.Network == "tcp" && last.Err != nil && !OurDoing(last.Err):
		return result.DNSProtocol, 0, result.Peer // a truncated answer sent us to TCP, and that was closed
	case last.RCode == result.NoRCode && (ended == Deadline || OurDoing(last.Err) || last.Err == nil):
		return result.DNSTimedOut, 0, result.Self
	case last.Truncated:
		return result.DNSProtocol, 0, result.Peer
	case dns != nil && dns.IsNotFound:
		return result.DNSNoData, 0, result.Peer
	case dns != nil && last.RCode == int(dnsmessage.RCodeSuccess):
		return result.DNSProtocol, 0, result.Peer // lame referral, or an answer that does not parse
	default:
		return result.DNSFailed, 0, result.Peer
	}
}

var rcodeReasons = map[int]result.Reason{
	int(dnsmessage.RCodeFormatError):    result.DNSProtocol,
	int(dnsmessage.RCodeServerFailure):  result.DNSServfail,
	int(dnsmessage.RCodeNameError):      result.DNSNameNotResolved,
	int(dnsmessage.RCodeNotImplemented): result.DNSProtocol,
	int(dnsmessage.RCodeRefused):        result.DNSRefused,
}

// lastExchange is the question whose fate decided the lookup. Only the name asked for last counts (a search list asks
// for several), and of each of its questions only the last try; one that failed decides over one that was answered with
// nothing.
func lastExchange(l *result.Lookup) *result.DNSExchange {
	var decided *result.DNSExchange
	seen := map[string]bool{}
	for i := len(l.Exchanges) - 1; i >= 0; i-- {
		e := &l.Exchanges[i]
		if seen[e.Question] || result.AskedName(e) != result.AskedName(&l.Exchanges[len(l.Exchanges)-1]) {
			continue
		}
		seen[e.Question] = true
		if decided == nil || severity(e) > severity(decided) {
			decided = e
		}
	}
	return decided
}

// isFlood reports whether a question was given up because of what its server sent.
func isFlood(err error) bool {
	_, ours := errors.AsType[*FloodError](err)
	return ours || err != nil && UselessRecords(err)
}

// contradictory reports whether an answer was refused for what it says.
func contradictory(err error) bool {
	_, ok := errors.AsType[UnusableAnswer](err)
	return ok
}

// explainedExchange is the newest question of a lookup that met an error of a system call, such as an ICMP message, or
// a flood; silence if none did. ICMP errors are sent at a limited rate (RFC 1812 section 4.3.2.8), and a flood fills
// buffers: one of them explains the silence after the other questions.
func explainedExchange(l *result.Lookup, silence *result.DNSExchange) *result.DNSExchange {
	for i := len(l.Exchanges) - 1; i >= 0; i-- {
		if l.Exchanges[i].Errno != 0 || isFlood(l.Exchanges[i].Err) {
			return &l.Exchanges[i]
		}
	}
	return silence
}

func severity(e *result.DNSExchange) int {
	switch {
	case e.RCode != int(dnsmessage.RCodeSuccess) || e.Err != nil:
		return 2
	case e.Answers == 0:
		return 1
	default:
		return 0
	}
}

// classifyUnasked names a lookup without a query: the name itself is impossible.
func classifyUnasked(err error, ended Ending) (result.Reason, syscall.Errno, result.Origin) {
	if ended == Deadline {
		return result.DNSTimedOut, 0, result.Self
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound || contradictory(err) {
		return result.ProbeConfig, 0, result.Self // or the file of hosts has an address that is none
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return result.ProbeConfig, 0, result.Self
	}
	return result.DNSFailed, 0, result.Self
}

// classifyResolverErrno names a system call that failed on the way to the resolver. A name server that cannot be
// reached is told apart from a host that cannot reach anything by whether the question left it.
func classifyResolverErrno(e *result.DNSExchange) (result.Reason, syscall.Errno, result.Origin) {
	if reason, ok := exhausted(e.Errno); ok {
		return reason, e.Errno, result.Local
	}
	if !e.Sent {
		switch e.Errno {
		case syscall.EPERM, syscall.EACCES:
			return result.LocalDenied, e.Errno, result.Local
		case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN:
			return result.LocalNoRoute, e.Errno, result.Local
		case syscall.EAGAIN: // no local port is free for a datagram socket (net/ipv4/af_inet.c, inet_dgram_connect)
			return result.LocalPortExhausted, e.Errno, result.Local
		}
	}
	switch e.Errno {
	case syscall.ECONNREFUSED, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EACCES, syscall.ENOPROTOOPT:
		if e.Network == "tcp" && e.Errno == syscall.ECONNREFUSED {
			return result.DNSUnreachable, e.Errno, result.Peer
		}
		return result.DNSUnreachable, e.Errno, result.Path // over UDP every one of them is an ICMP message
	case syscall.ECONNRESET, syscall.EPIPE:
		return result.DNSProtocol, e.Errno, result.Peer
	default:
		return result.DNSFailed, e.Errno, result.Local
	}
}

package prober

import (
	"errors"
	"net"
	"strings"
	"syscall"

	"golang.org/x/net/dns/dnsmessage"
)

// classifyLookup names a lookup that failed. The wire decides; Go's error only says which question it gave up on.
func classifyLookup(e *Evidence) Failure {
	reason, errno, origin := reasonOfLookup(e.Lookup, e.Err, e.Ended)
	return Failure{Reason: reason, Errno: errno, Origin: origin, Err: e.Err}
}

func reasonOfLookup(l *Lookup, err error, ended Ending) (Reason, syscall.Errno, Origin) {
	if ended == Cancelled {
		return Abandoned, 0, Self
	}
	last := lastExchange(l)
	if last == nil {
		return classifyUnasked(err, ended)
	}
	if last.RCode == noRCode && last.Errno == 0 && (last.Err == nil || ourDoing(last.Err)) {
		last = refusedExchange(l, last)
	}
	if isFlood(last.Err) {
		return PeerFlood, 0, Self
	}
	if last.Errno != 0 {
		return classifyResolverErrno(last)
	}
	if contradictory(last.Err) {
		return DNSProtocol, 0, Peer
	}
	if reason, ok := rcodeReasons[last.RCode]; ok {
		return reason, 0, Peer
	}
	switch dns, _ := errors.AsType[*net.DNSError](err); {
	case last.RCode == noRCode && last.Network == "tcp" && last.Err != nil && !ourDoing(last.Err):
		return DNSProtocol, 0, Peer // a truncated answer sent us to TCP, and that was closed
	case last.RCode == noRCode && (ended == Deadline || ourDoing(last.Err) || last.Err == nil):
		return DNSTimedOut, 0, Self
	case last.Truncated:
		return DNSProtocol, 0, Peer
	case dns != nil && dns.IsNotFound:
		return DNSNoData, 0, Peer
	case dns != nil && last.RCode == int(dnsmessage.RCodeSuccess):
		return DNSProtocol, 0, Peer // lame referral, or an answer that does not parse
	default:
		return DNSFailed, 0, Peer
	}
}

var rcodeReasons = map[int]Reason{
	int(dnsmessage.RCodeFormatError):    DNSProtocol,
	int(dnsmessage.RCodeServerFailure):  DNSServfail,
	int(dnsmessage.RCodeNameError):      DNSNameNotResolved,
	int(dnsmessage.RCodeNotImplemented): DNSProtocol,
	int(dnsmessage.RCodeRefused):        DNSRefused,
}

// lastExchange is the question whose fate decided the lookup. Only the name asked for last counts (a search list asks for several),
// and of each of its questions only the last try; one that failed decides over one that was answered with nothing.
func lastExchange(l *Lookup) *DNSExchange {
	var decided *DNSExchange
	seen := map[string]bool{}
	for i := len(l.Exchanges) - 1; i >= 0; i-- {
		e := &l.Exchanges[i]
		if seen[e.Question] || nameOf(e) != nameOf(&l.Exchanges[len(l.Exchanges)-1]) {
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
	_, ours := errors.AsType[*floodError](err)
	return ours || err != nil && uselessRecords(err)
}

// contradictory reports whether an answer was refused for what it says.
func contradictory(err error) bool {
	_, unsure := errors.AsType[*letterCase](err)
	return unsure || errors.Is(err, errLoop) || errors.Is(err, errAnotherQuestion) || errors.Is(err, errMalformed)
}

// refusedExchange is the newest question of a lookup that met an error of a system call, such as an ICMP message; silence if none did. ICMP errors
// are sent at a limited rate (RFC 1812 section 4.3.2.8): one that arrived explains the silence after the other questions.
func refusedExchange(l *Lookup, silence *DNSExchange) *DNSExchange {
	for i := len(l.Exchanges) - 1; i >= 0; i-- {
		if l.Exchanges[i].Errno != 0 {
			return &l.Exchanges[i]
		}
	}
	return silence
}

func nameOf(e *DNSExchange) string {
	name, _, _ := strings.Cut(e.Question, " ")
	return name
}

func severity(e *DNSExchange) int {
	switch {
	case e.RCode != int(dnsmessage.RCodeSuccess) || e.Err != nil:
		return 2
	case e.Answers == 0:
		return 1
	default:
		return 0
	}
}

// classifyUnasked names a lookup that asked nobody: the name itself is impossible.
func classifyUnasked(err error, ended Ending) (Reason, syscall.Errno, Origin) {
	if ended == Deadline {
		return DNSTimedOut, 0, Self
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return ProbeConfig, 0, Self
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return ProbeConfig, 0, Self
	}
	return DNSFailed, 0, Self
}

// classifyResolverErrno names a system call that failed on the way to the resolver. A name server that cannot be reached is told
// apart from a host that cannot reach anything by whether the question left it.
func classifyResolverErrno(e *DNSExchange) (Reason, syscall.Errno, Origin) {
	if reason, ok := exhausted(e.Errno); ok {
		return reason, e.Errno, Local
	}
	if !e.Sent {
		switch e.Errno {
		case syscall.EPERM, syscall.EACCES:
			return LocalDenied, e.Errno, Local
		case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN:
			return LocalNoRoute, e.Errno, Local
		}
	}
	switch e.Errno {
	case syscall.ECONNREFUSED, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EACCES, syscall.ENOPROTOOPT:
		if e.Network == "tcp" && e.Errno == syscall.ECONNREFUSED {
			return DNSUnreachable, e.Errno, Peer
		}
		return DNSUnreachable, e.Errno, Path // over UDP every one of them is an ICMP message
	case syscall.ECONNRESET, syscall.EPIPE:
		return DNSProtocol, e.Errno, Peer
	default:
		return DNSFailed, e.Errno, Local
	}
}

package result

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Lookup is what was seen of the resolver on the wire.
type Lookup struct {
	Host      string
	Exchanges []DNSExchange // questions and what became of each, in order of asking; bounded
}

// TTL is how long the answers may still be used, the shortest of them; -1 without an answer.
func (l *Lookup) TTL() time.Duration {
	least := NoTTL
	for i := range l.Exchanges {
		if ttl := l.Exchanges[i].TTL; ttl != NoTTL && (least == NoTTL || ttl < least) {
			least = ttl
		}
	}
	return least
}

// DNSExchange is one question put to one server.
type DNSExchange struct {
	Server    string // address and port
	Network   string // "udp", "tcp", "tls" or "https"
	Question  string // "api.example.com. AAAA"
	Sent      bool   // the question left this host
	Start     time.Duration
	Duration  time.Duration
	RCode     int           // -1 when no valid answer came
	Answers   int           // records in the answer section
	Truncated bool          // the TC bit: ask again over TCP
	TTL       time.Duration // the shortest of its records; -1 without records
	GivenUp   bool          // no answer: it was not waited for any longer, as the other family had answered
	Errno     syscall.Errno
	Err       error           // the socket's error; nil when an answer came
	Extended  []ExtendedError // of the answer, at most four
}

// NoTTL stands for an answer without records.
const NoTTL time.Duration = -1

// NoRCode stands for a question that got no valid answer.
const NoRCode = -1

// Families are the families that were asked for of the name that decided, IPv4 first; empty without a query.
func (l *Lookup) Families() []Family {
	if l == nil || len(l.Exchanges) == 0 {
		return nil
	}
	var families []Family
	decided := AskedName(&l.Exchanges[len(l.Exchanges)-1])
	for _, f := range []struct{ name, kind string }{{"ip4", " A"}, {"ip6", " AAAA"}} {
		family, began := Family{Name: f.name}, time.Duration(-1)
		failed := false // a name server said so; the same question was repeated
		for i := range l.Exchanges {
			e := &l.Exchanges[i]
			if AskedName(e) != decided || !strings.HasSuffix(e.Question, f.kind) {
				continue
			}
			if began < 0 {
				began = e.Start
			}
			family.Answered = e.Err == nil && (e.RCode == int(dnsmessage.RCodeSuccess) ||
				e.RCode == int(dnsmessage.RCodeNameError))
			failed = failed || e.RCode > 0 && e.RCode != int(dnsmessage.RCodeNameError)
			family.GivenUp, family.Duration = e.GivenUp && !failed, e.Start+e.Duration-began
		}
		if began >= 0 {
			families = append(families, family)
		}
	}
	return families
}

// Family is what became of the questions for one family of addresses.
type Family struct {
	Name     string        // "ip4" or "ip6"
	Answered bool          // the name servers gave addresses, or said that there are none
	GivenUp  bool          // nobody said that it failed; it was waited for no longer, as the other family was known
	Duration time.Duration // from the first question to the last answer, or to when it was given up
}

func AskedName(e *DNSExchange) string {
	name, _, _ := strings.Cut(e.Question, " ")
	return name
}

// ExtendedError is an Extended DNS Error of an answer (RFC 8914).
type ExtendedError struct {
	Code uint16 // INFO-CODE
	Text string // EXTRA-TEXT, cut; free text of the name server, for the record alone
}

// extendedNames are IANA's registry "Extended DNS Error Codes".
var extendedNames = [...]string{
	"Other Error", "Unsupported DNSKEY Algorithm", "Unsupported DS Digest Type", "Stale Answer", "Forged Answer",
	"DNSSEC Indeterminate", "DNSSEC Bogus", "Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing",
	"RRSIGs Missing", "No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored",
	"Filtered", "Prohibited", "Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported", "No Reachable Authority",
	"Network Error", "Invalid Data", "Signature Expired before Valid", "Too Early", "Unsupported NSEC3 Iterations Value",
	"Unable to conform to policy", "Synthesized", "Invalid Query Type",
}

// Name is the code's registered name with the number.
func (e ExtendedError) Name() string {
	number := "extended DNS error " + strconv.Itoa(int(e.Code))
	if int(e.Code) < len(extendedNames) {
		return extendedNames[e.Code] + " (" + number + ")"
	}
	return number
}

// Label is the code where it is registered, else "other".
func (e ExtendedError) Label() string {
	if int(e.Code) < len(extendedNames) {
		return strconv.Itoa(int(e.Code))
	}
	return "other"
}

// Comparison is what the system's resolver said beside the configured servers. One that answers otherwise may be stale,
// or see another view of the zone.
type Comparison struct {
	Answers []netip.Addr // the system's; empty if it failed
	Lookup  *Lookup
	Failure *Failure // of the system's resolver; nil if it answered
}

// Overlap reports whether the configured answers and the system's have an address in common.
func (c *Comparison) Overlap(configured []netip.Addr) bool {
	return slices.ContainsFunc(c.Answers, func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

// Stale are the system's addresses that the configured answers do not have.
func (c *Comparison) Stale(configured []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(c.Answers),
		func(addr netip.Addr) bool { return slices.Contains(configured, addr) })
}

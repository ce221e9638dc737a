package prober_test

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// lookup is a row whose server is the resolver.
type lookup struct {
	name     string
	resolver func(faultlab.Host) string
	host     string
	module   func(*module.Module)
	runs     int
	want     outcome
}

func rcode(code dnsmessage.RCode) func(faultlab.Host) string {
	return func(h faultlab.Host) string { return faultlab.DNSCode(h, code) }
}

func inResolve(reason result.Reason, errno syscall.Errno, origin result.Origin) outcome {
	return outcome{result.Resolve, reason, errno, origin, ""}
}

const labName = "api.lab.test." // complete: no search list

var dnsFaults = []lookup{
	{"NXDOMAIN", rcode(dnsmessage.RCodeNameError), labName, asIs, 10,
		inResolve(result.DNSNameNotResolved, 0, result.Peer)},
	{"no data", rcode(dnsmessage.RCodeSuccess), labName, asIs, 10, inResolve(result.DNSNoData, 0, result.Peer)},
	{"SERVFAIL", rcode(dnsmessage.RCodeServerFailure), labName, asIs, 10,
		inResolve(result.DNSServfail, 0, result.Peer)},
	{"REFUSED", rcode(dnsmessage.RCodeRefused), labName, asIs, 10, inResolve(result.DNSRefused, 0, result.Peer)},
	{"FORMERR", rcode(dnsmessage.RCodeFormatError), labName, asIs, 10, inResolve(result.DNSProtocol, 0, result.Peer)},
	{"NOTIMP", rcode(dnsmessage.RCodeNotImplemented), labName, asIs, 10, inResolve(result.DNSProtocol, 0, result.Peer)},
	{"an RCODE without a reason", rcode(dnsmessage.RCode(9)), labName, asIs, 10,
		inResolve(result.DNSFailed, 0, result.Peer)},
	{"lame", faultlab.DNSLame, labName, asIs, 10, inResolve(result.DNSProtocol, 0, result.Peer)},
	{"silence", faultlab.DNSSilent, labName, briefly, once, inResolve(result.DNSTimedOut, 0, result.Self)},
	{"wrong ID", faultlab.DNSWrongID, labName, briefly, once, inResolve(result.DNSTimedOut, 0, result.Self)},
	{"garbage", faultlab.DNSGarbage, labName, briefly, once, inResolve(result.DNSTimedOut, 0, result.Self)},
	{"port closed", faultlab.DNSClosedPort, labName, asIs, 10,
		inResolve(result.DNSUnreachable, syscall.ECONNREFUSED, result.Path)},
	{"truncated, then TCP closes", faultlab.DNSTruncatedThenEOF, labName, asIs, 10,
		inResolve(result.DNSProtocol, 0, result.Peer)},
	{"no address of the family", rcode(dnsmessage.RCodeSuccess), labName,
		func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = true, false }, 5,
		inResolve(result.DNSNoData, 0, result.Peer)},
	{"label of 64 letters", faultlab.DNSSilent, strings.Repeat("a", 64) + ".test.", asIs, 5,
		inResolve(result.ProbeConfig, 0, result.Self)},
	{".onion", faultlab.DNSSilent, "example.onion.", asIs, 5, inResolve(result.ProbeConfig, 0, result.Self)},
	{"address literal of the other family", faultlab.DNSSilent, "[::1]",
		func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = false, false }, once,
		inResolve(result.ProbeConfig, 0, result.Self)},
}

func TestDNSFaults(t *testing.T) {
	for _, row := range dnsFaults {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := prober.New(prober.Options{Resolver: row.resolver(t)})
			m := labModule()
			row.module(m)
			for range row.runs {
				r := probe(t, p, "http://"+row.host+"/", m)
				if got := outcomeOf(r.Failure); got != row.want {
					t.Fatalf("Probe = %+v, want %+v%s", got, row.want, evidence(&r))
				}
			}
		})
	}
}

// TestLookupsThatSucceed: which address is dialled, and what is recorded of the lookup.
func TestLookupsThatSucceed(t *testing.T) {
	var many []netip.Addr
	for i := range 50 {
		many = append(many, netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}))
	}
	zone := func(h faultlab.Host) string {
		return faultlab.DNS(h, map[string][]netip.Addr{"both.lab.test": {four, six}, "four.lab.test": {four},
			"six.lab.test": {six}, "many.lab.test": many})
	}
	ip4 := func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = false, true }
	ip6 := func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = true, true }
	for _, row := range []struct {
		name     string
		resolver func(faultlab.Host) string
		host     string
		module   func(*module.Module)
		dialled  netip.Addr
		answers  int
	}{
		{"both, IPv4 preferred", zone, "both.lab.test.", ip4, four, 2},
		{"both, IPv6 preferred", zone, "both.lab.test.", ip6, six, 2},
		{"IPv4 only, IPv6 preferred", zone, "four.lab.test.", ip6, four, 1},
		{"IPv6 only, IPv4 preferred", zone, "six.lab.test.", ip4, six, 1},
		{"both, IPv4 asked for alone", zone, "both.lab.test.",
			func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = false, false }, four, 1},
		{"fifty addresses", zone, "many.lab.test.", ip4, many[0], 50},
		{"truncated, then TCP", faultlab.DNSTruncated, labName, ip4, four, 1},
		{"AAAA SERVFAIL", faultlab.DNSServfailAAAA, labName, ip4, four, 1},
		{"AAAA unanswered", faultlab.DNSSilentAAAA, labName,
			func(m *module.Module) { ip6(m); m.Timeout = 2 * time.Second }, four, 1},
	} {
		target4 := faultlab.Handler(t, faultlab.Healthy)
		port := target4[strings.LastIndex(target4, ":")+1:]
		m := labModule()
		row.module(m)
		r := probe(t, prober.New(prober.Options{Resolver: row.resolver(t)}), "http://"+row.host+":"+port, m)
		hop := r.Last().LastHop()
		if hop.Addr.Addr() != row.dialled || len(hop.Answers) != row.answers ||
			!slices.Contains(hop.Answers, row.dialled) {
			t.Errorf("%s: dialled %v of %v, want %v of %d addresses%s", row.name, hop.Addr, hop.Answers, row.dialled,
				row.answers, evidence(&r))
		}
		if hop.Lookup == nil || len(hop.Lookup.Exchanges) == 0 {
			t.Errorf("%s: nothing is recorded of the lookup", row.name)
		}
	}
}

// TestEveryHopKeepsToTheFamily: a redirect's name is resolved and chosen from as the target's was.
func TestEveryHopKeepsToTheFamily(t *testing.T) {
	zone := faultlab.DNS(t, map[string][]netip.Addr{"first.lab.test": {four}, "second.lab.test": {four, six}})
	port := func(url string) string { return strings.TrimSuffix(url[strings.LastIndex(url, ":")+1:], "/") }
	for _, row := range []struct {
		preferIPv6 bool
		second     string // the server that the redirect must reach
		want       netip.Addr
	}{
		{true, faultlab.HandlerOn(t, "[::1]:0", faultlab.Healthy), six},
		{false, faultlab.HandlerOn(t, "127.0.0.1:0", faultlab.Healthy), four},
	} {
		first := faultlab.Status(t, 302, "Location", "http://second.lab.test:"+port(row.second)+"/")
		m := labModule()
		m.PreferIPv6 = row.preferIPv6
		r := probe(t, prober.New(prober.Options{Resolver: zone}), "http://first.lab.test:"+port(first)+"/", m)
		hops := r.Last().Hops
		if r.Failure != nil || len(hops) != 2 || hops[0].Addr.Addr() != four || hops[1].Addr.Addr() != row.want {
			t.Errorf("prefer IPv6 %v: failure %+v, %d hops, the last at %v, want success at %v%s", row.preferIPv6,
				outcomeOf(r.Failure), len(hops), r.Last().LastHop().Addr, row.want, evidence(&r))
		}
	}
}

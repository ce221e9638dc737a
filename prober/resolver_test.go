package prober_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// asked is what a test compares of a lookup by configured servers.
type asked struct {
	Reason   result.Reason // of the probe; empty for a success
	Errno    string
	Networks string // of the questions for A records, in order
	RCodes   string
	TTL      time.Duration
}

func TestResolver(t *testing.T) {
	here := map[string][]netip.Addr{"api.test": {netip.MustParseAddr("127.0.0.1")}}
	var many []netip.Addr
	for i := range 100 {
		many = append(many, netip.MustParseAddr(fmt.Sprintf("127.0.0.%d", i+1)))
	}
	type servers = func(*testing.T) []string
	one := func(serve func(faultlab.Host) string) servers {
		return func(t *testing.T) []string { return []string{serve(t)} }
	}
	healthy := func(names map[string][]netip.Addr) func(faultlab.Host) string {
		return func(h faultlab.Host) string { return faultlab.DNS(h, names) }
	}
	code := func(c dnsmessage.RCode) func(faultlab.Host) string {
		return func(h faultlab.Host) string { return faultlab.DNSCode(h, c) }
	}
	for _, row := range []struct {
		name     string
		protocol string
		servers  servers
		timeout  time.Duration
		want     asked
	}{
		{"UDP", "udp", one(healthy(here)), time.Minute, asked{"", "", "udp", "0", time.Minute}},
		{"TCP", "tcp", one(healthy(here)), time.Minute, asked{"", "", "tcp", "0", time.Minute}},
		{"TLS", "tls", one(func(h faultlab.Host) string { return faultlab.DNSOverTLS(h, here) }), time.Minute,
			asked{"", "", "tls", "0", time.Minute}},
		{"HTTPS", "https", one(func(h faultlab.Host) string { return faultlab.DNSOverHTTPS(h, here) }), time.Minute,
			asked{"", "", "https", "0", time.Minute}},
		{"truncated over UDP", "udp", one(healthy(map[string][]netip.Addr{"api.test": many})), time.Minute,
			asked{"", "", "udp tcp", "0 0", time.Minute}},
		{"the first is closed, the second answers", "udp",
			func(t *testing.T) []string { return []string{faultlab.DNSClosedPort(t), faultlab.DNS(t, here)} },
			time.Minute,
			asked{"", "", "udp udp", "-1 0", time.Minute}},
		{"the first fails, the second answers", "udp", func(t *testing.T) []string {
			return []string{faultlab.DNSCode(t, dnsmessage.RCodeServerFailure), faultlab.DNS(t, here)}
		}, time.Minute, asked{"", "", "udp udp", "2 0", time.Minute}},
		{"no such name: the second is not asked", "udp", func(t *testing.T) []string {
			return []string{faultlab.DNS(t, nil), faultlab.DNS(t, here)}
		}, time.Minute, asked{result.DNSNameNotResolved, "", "udp", "3", -1}},
		{"no address", "udp", one(healthy(map[string][]netip.Addr{"api.test": nil})), time.Minute,
			asked{result.DNSNoData, "", "udp", "0", -1}},
		{"SERVFAIL", "udp", one(code(dnsmessage.RCodeServerFailure)), time.Minute,
			asked{result.DNSServfail, "", "udp udp", "2 2", -1}},
		{"REFUSED", "udp", one(code(dnsmessage.RCodeRefused)), time.Minute,
			asked{result.DNSRefused, "", "udp udp", "5 5", -1}},
		{"closed port", "udp", one(faultlab.DNSClosedPort), time.Minute,
			asked{result.DNSUnreachable, "ECONNREFUSED", "udp udp", "-1 -1", -1}},
		{"closed port, TCP", "tcp", one(faultlab.DNSClosedPort), time.Minute,
			asked{result.DNSUnreachable, "ECONNREFUSED", "tcp tcp", "-1 -1", -1}},
		{"silence", "udp", one(faultlab.DNSSilent), 500 * time.Millisecond,
			asked{result.DNSTimedOut, "", "udp", "-1", -1}},
		{"garbage", "udp", one(faultlab.DNSGarbage), 500 * time.Millisecond,
			asked{result.DNSTimedOut, "", "udp", "-1", -1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			api := faultlab.Handler(t, faultlab.Healthy)
			_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(api, "http://"), "/"))
			m := module.New("resolver")
			m.PreferIPv6, m.IPProtocolFallback, m.Timeout, m.TLS.RootCAs = false, false, row.timeout, faultlab.Roots()
			m.Resolver = &module.Resolver{Servers: row.servers(t), Protocol: row.protocol}
			target, err := prober.ParseTarget("http://api.test:" + port + "/")
			if err != nil {
				t.Fatal(err)
			}
			r := prober.New(prober.Options{UserAgent: "test", Resolver: faultlab.DNSClosedPort(t)}).Probe(t.Context(),
				target, m)
			lookup := r.Attempts[0].Hops[0].Lookup
			got := asked{TTL: lookup.TTL()}
			if r.Failure != nil {
				got.Reason, got.Errno = r.Failure.Reason, result.ErrnoName(r.Failure.Errno)
			}
			var networks, codes []string
			for _, e := range lookup.Exchanges {
				if e.Question != "api.test. A" {
					t.Errorf("asked %q, want api.test. A", e.Question)
				}
				networks, codes = append(networks, e.Network), append(codes, fmt.Sprint(e.RCode))
			}
			got.Networks, got.RCodes = strings.Join(networks, " "), strings.Join(codes, " ")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%+v", diff, r.Failure)
			}
		})
	}
}

// The system's resolver, beside the configured one.
func TestCompareWithSystem(t *testing.T) {
	fresh, old := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9")
	names := func(addrs ...netip.Addr) func(faultlab.Host) string {
		return func(h faultlab.Host) string { return faultlab.DNS(h, map[string][]netip.Addr{"api.test": addrs}) }
	}
	for _, row := range []struct {
		name    string
		system  func(faultlab.Host) string
		reason  result.Reason // of the system's failure; empty if it answered
		overlap bool
		stale   []netip.Addr
	}{
		{"the same", names(fresh), "", true, nil},
		{"one address more: it is stale", names(fresh, old), "", true, []netip.Addr{old}},
		{"another address: it is stale", names(old), "", false, []netip.Addr{old}},
		{"the system's fails", func(h faultlab.Host) string {
			return faultlab.DNSCode(h,
				dnsmessage.RCodeServerFailure)
		}, result.DNSServfail, false, nil},
		{"the system's does not know the name", func(h faultlab.Host) string { return faultlab.DNS(h, nil) },
			result.DNSNameNotResolved, false, nil},
		{"the system's is silent: nobody waits for long", faultlab.DNSSilent, result.DNSTimedOut, false, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			api := faultlab.Handler(t, faultlab.Healthy)
			_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(api, "http://"), "/"))
			m := module.New("resolver")
			m.PreferIPv6, m.Timeout = false, 20*time.Second
			m.Resolver = &module.Resolver{Servers: []string{names(fresh)(t)}, Protocol: "udp", CompareSystem: true}
			target, err := prober.ParseTarget("http://api.test:" + port + "/")
			if err != nil {
				t.Fatal(err)
			}
			r := prober.New(prober.Options{UserAgent: "test", Resolver: row.system(t)}).Probe(t.Context(), target, m)
			hop := r.Attempts[0].Hops[0]
			if r.Failure != nil || hop.Compared == nil {
				t.Fatalf("failure %+v, compared %v", r.Failure, hop.Compared)
			}
			var reason result.Reason
			if f := hop.Compared.Failure; f != nil {
				reason = f.Reason
			}
			if stale := hop.Compared.Stale(hop.Answers); reason != row.reason ||
				hop.Compared.Overlap(hop.Answers) != row.overlap || !slices.Equal(stale, row.stale) {
				t.Errorf("the system's failed by %q, overlap %t, stale %v, want %q, %t, %v", reason,
					hop.Compared.Overlap(hop.Answers), stale, row.reason, row.overlap, row.stale)
			}
			if span, _ := hop.Span(result.Resolve); span.Duration > time.Second || r.Elapsed > 5*time.Second {
				t.Errorf("resolve took %s, the probe %s: it waited for the system's resolver", span.Duration, r.Elapsed)
			}
		})
	}
}

package egress

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// sharedProbe is a probe of 198.18.N.1 (198.18.0.0/15 is for tests, RFC 2544) that ended with what the words say.
func sharedProbe(network int, what string) *result.Result {
	h := result.Hop{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(network), 1}), 443),
		Wire: &result.Wire{}}
	var f *result.Failure
	switch what {
	case "works":
	case "syn":
		h.Wire.SYNRetransmits = 1
	case "reset":
		f = &result.Failure{Phase: result.Processing, Reason: result.TCPReset, Origin: result.Peer}
	case "timeout":
		f = &result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut, Origin: result.Self}
	case "dead":
		f = &result.Failure{Phase: result.Processing, Reason: result.TCPAborted, Origin: result.Self}
	case "refused":
		f = &result.Failure{Phase: result.Connect, Reason: result.TCPRefused, Origin: result.Peer}
	case "status":
		f = &result.Failure{Phase: result.Validate, Reason: result.HTTPError}
	case "ports":
		f = &result.Failure{Phase: result.Connect, Reason: result.LocalPortExhausted, Origin: result.Local}
	case "dns lost", "dns answers", "dns given up", "dns refused":
		e := result.DNSExchange{Server: h.Addr.String(), Sent: true, RCode: result.NoRCode}
		switch what {
		case "dns answers":
			e.RCode = 3
		case "dns given up":
			e.GivenUp = true
		case "dns refused":
			e.Errno = syscall.ECONNREFUSED
		}
		f = &result.Failure{Phase: result.Resolve, Reason: result.DNSTimedOut, Origin: result.Self}
		h = result.Hop{Lookup: &result.Lookup{Exchanges: []result.DNSExchange{e}}}
	}
	return &result.Result{Failure: f, Attempts: []result.Attempt{{Hops: []result.Hop{h}, Failure: f}}}
}

// What is seen in networks 1, 2, … of the last minute speaks about the failure of a target in network 1.
func TestSharedFate(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	type seen struct {
		network int
		what    string
		ago     time.Duration
	}
	well := func(networks ...int) (all []seen) {
		for _, n := range networks {
			all = append(all, seen{n, "works", 2 * time.Minute}, seen{n, "works", 30 * time.Second})
		}
		return all
	}
	for _, row := range []struct {
		name     string
		seen     []seen
		want     string // networks, affected, by sign
		impaired bool
	}{
		{"nothing", nil, "0 0 [0 0 0 0]", false},
		{"all is well", well(1, 2, 3), "2 0 [0 0 0 0]", false},
		{"SYNs in two of two", append(well(2, 3), seen{2, "syn", 0}, seen{3, "syn", 0}), "2 2 [2 0 0 0]", true},
		{"in one other, and its own", append(well(1, 2), seen{1, "syn", 0}, seen{2, "syn", 0}), "1 1 [1 0 0 0]", false},
		{"different signs", append(well(2, 3, 4), seen{2, "reset", 0}, seen{3, "timeout", 0}, seen{4, "dns answers", 0},
			seen{4, "dns lost", 0}), "3 3 [0 1 1 1]", true},
		{"several signs of one network", append(well(2, 3), seen{2, "syn", 0}, seen{2, "reset", 0}, seen{2, "dead", 0}),
			"2 1 [1 1 1 0]", false},
		{"a third", append(well(2, 3, 4, 5, 6, 7), seen{2, "syn", 0}, seen{3, "syn", 0}), "6 2 [2 0 0 0]", true},
		{"less than a third", append(well(2, 3, 4, 5, 6, 7, 8), seen{2, "syn", 0}, seen{3, "syn", 0}), "7 2 [2 0 0 0]",
			false},
		{"a minute ago", append(well(2, 3), seen{2, "syn", 61 * time.Second}, seen{3, "syn", time.Minute}),
			"2 1 [1 0 0 0]", false},
		{"servers that never work", []seen{{2, "timeout", 0}, {3, "reset", 0}, {4, "syn", 0}}, "3 1 [1 0 0 0]", false},
		{"servers that worked long ago", []seen{{2, "works", 11 * time.Minute}, {2, "timeout", 0},
			{3, "works", 11 * time.Minute}, {3, "reset", 0}}, "2 0 [0 0 0 0]", false},
		{"refusals and statuses are answers of servers", append(well(2, 3), seen{2, "refused", 0}, seen{3, "status", 0}),
			"2 0 [0 0 0 0]", false},
		{"what never left this host", append(well(2, 3), seen{2, "ports", 0}, seen{3, "ports", 0}), "2 0 [0 0 0 0]",
			false},
		{"questions that were not waited for, or refused", append(well(2, 3), seen{2, "dns given up", 0},
			seen{3, "dns refused", 0}), "2 0 [0 0 0 0]", false},
	} {
		var s Shared
		for _, e := range row.seen {
			s.Observe(sharedProbe(e.network, e.what), now.Add(-e.ago))
		}
		f := s.Beside(netip.MustParsePrefix("198.18.1.0/24"), now)
		if got := fmt.Sprintf("%d %d %v", f.Networks, f.Affected, f.BySign); got != row.want ||
			f.Impaired() != row.impaired {
			t.Errorf("%s: %s, impaired %t, want %s, %t", row.name, got, f.Impaired(), row.want, row.impaired)
		}
	}
}

// Reference targets count as well; loopback and names do not.
func TestSharedFateOfReferences(t *testing.T) {
	now := time.Now()
	var s Shared
	for _, address := range []string{"198.18.2.1:443", "[2001:db8:1::1]:443", "127.0.0.1:443", "[::1]:443",
		"name.test:443"} {
		s.ObserveReference(address, Reference{Up: true}, now.Add(-time.Minute))
		s.ObserveReference(address, Reference{}, now)
	}
	if f := s.Beside(netip.Prefix{}, now); f.Networks != 2 || f.BySign[Timeout] != 2 || !f.Impaired() {
		t.Errorf("%+v, want two networks that timed out", f)
	}
}

// The networks that are remembered are bounded; those that were not probed lately make room.
func TestSharedFateIsBounded(t *testing.T) {
	now := time.Now()
	var s Shared
	fill := func(from byte, at time.Time) {
		for i := range maxNetworks + 100 {
			addr := netip.AddrFrom4([4]byte{from, byte(i >> 8), byte(i), 1})
			s.ObserveReference(netip.AddrPortFrom(addr, 443).String(), Reference{Up: true}, at)
		}
	}
	fill(10, now)
	if n := len(s.networks); n != maxNetworks || s.Size() != perNetwork*maxNetworks {
		t.Errorf("%d networks of %d bytes, want %d", n, s.Size(), maxNetworks)
	}
	fill(11, now.Add(workedFor+time.Second))
	if f := s.Beside(netip.Prefix{}, now.Add(workedFor+time.Second)); f.Networks != maxNetworks {
		t.Errorf("%d networks after those of long ago, want %d", f.Networks, maxNetworks)
	}
}

// BenchmarkObserve is what a probe that succeeded costs, with a thousand networks.
func BenchmarkObserve(b *testing.B) {
	var s Shared
	now := time.Now()
	var all []*result.Result
	for i := range 1000 {
		r := sharedProbe(i, "works")
		r.Attempts[0].Hops[0].Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 1}), 443)
		all = append(all, r)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Observe(all[i%len(all)], now)
	}
}

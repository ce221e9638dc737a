package result

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"errno_exporter/internal/claims"
)

// A summary has a bounded size for each attempt at each address, whatever the attempts kept.
func TestSummaryOfAddresses(t *testing.T) {
	const most, addresses, attempts = 5 << 10, 16, 10
	failure := &Failure{Phase: TLS, Reason: TLSFailed, Err: errors.New(strings.Repeat("x", MaxText))}
	made := func(n int) *Result {
		r := &Result{Target: Target{URL: &url.URL{Scheme: "http", Host: "a"}}, Failure: failure}
		for range n {
			p := AddressProbe{Addr: netip.IPv6Loopback(), Failure: failure}
			for range attempts {
				hop := Hop{URL: strings.Repeat("x", MaxShownURL), Addr: netip.AddrPortFrom(p.Addr, 1),
					Answers:  make([]netip.Addr, 256),
					Response: &Response{Header: map[string][]string{"Server": {strings.Repeat("x", MaxText)}}},
					Wire:     &Wire{Events: make([]Event, 32)}}
				for _, phase := range Phases {
					hop.Spans = append(hop.Spans, Span{Phase: phase.Phase})
				}
				p.Attempts = append(p.Attempts, Attempt{Failure: failure, Hops: []Hop{hop, hop}})
			}
			r.Addresses = append(r.Addresses, p)
		}
		r.Attempts = r.Addresses[0].Attempts
		return r
	}
	one, all := made(1).Summary().Size(), made(addresses).Summary().Size()
	if each := (all - one) / (addresses - 1) / attempts; each > most || each < most/2 {
		t.Errorf("an attempt at an address takes %d bytes in a summary, want at most %d, and about as many", each, most)
	}
	claims.Prove(t, "last result of a configured target", most)
}

package prober

import (
	"net/netip"
	"testing"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The policy applies to the address that is never routed, also for a configured target: the operator has not named it.
func TestNeverRoutedObeysThePolicy(t *testing.T) {
	for _, addr := range []string{"198.51.100.7:443", "[2001:db8:ffff::7]:443"} {
		target := netip.MustParseAddrPort(addr)
		never := neverRoutedLike(target.Addr())
		denied := &module.Networks{DenyNetworks: []netip.Prefix{netip.PrefixFrom(never, never.BitLen())}}
		for _, configured := range []bool{false, true} {
			r := &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{Addr: target}}}}}
			s := &subject{target: Target{Policy: denied, Configured: configured}, result: r,
				module: module.New("policy")}
			got := New(Options{}).accepted(t.Context(), result.NeverRouted, s)
			if got.Failure == nil || got.Failure.Reason != result.LocalDenied {
				t.Errorf("%s, configured %t: %+v, want %s", addr, configured, got.Failure, result.LocalDenied)
			}
		}
	}
}

// Only an address that is public, and on no link of ours, has to be behind a router.
func TestFarAway(t *testing.T) {
	for _, row := range []struct {
		addr string
		want bool
	}{
		{"8.8.8.8", true}, {"2606:4700::1", true}, {"127.0.0.1", false}, {"::1", false}, {"10.0.0.1", false},
		{"172.16.0.1", false}, {"192.168.1.1", false}, {"100.64.0.1", false}, {"169.254.1.1", false},
		{"fe80::1", false}, {"fd00::1", false}, {"0.0.0.0", false}, {"224.0.0.1", false},
	} {
		if got := farAway(netip.MustParseAddr(row.addr)); got != row.want {
			t.Errorf("farAway(%s) = %t, want %t", row.addr, got, row.want)
		}
	}
}

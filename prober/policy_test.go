package prober

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A denied address is not dialled, and is in the error alone.
func TestPermitted(t *testing.T) {
	denied, other, denied6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1"),
		netip.MustParseAddr("fd00::1")
	policy := &module.Networks{DenyNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("fd00::/8")}}
	both := []netip.Addr{denied, other}
	for _, row := range []struct {
		name       string
		configured bool
		policy     *module.Networks
		url, host  string     // of the request, and of what is dialled
		addr       netip.Addr // that was resolved
		refused    netip.Addr // in the error; invalid without one
		answers    []netip.Addr
	}{
		{"denied", false, policy, "http://a.test/", "a.test", denied, denied, both[1:]},
		{"permitted", false, policy, "http://a.test/", "a.test", other, netip.Addr{}, both[1:]},
		{"no policy", false, nil, "http://a.test/", "a.test", denied, netip.Addr{}, both},
		{"configured", true, policy, "http://A.test/", "A.test", denied, netip.Addr{}, both},
		{"configured, redirected to another host", true, policy, "http://b.test/", "b.test", denied, denied, both[1:]},
		{"behind a proxy, an address in the URL", false, policy, "http://10.0.0.1/", "10.0.0.1", netip.Addr{}, denied,
			both[1:]},
		{"behind a proxy, an IPv6 address in the URL", false, policy, "http://[fd00::1]/", "fd00::1", netip.Addr{},
			denied6, both[1:]},
		{"behind a proxy, an address in another spelling", false, policy, "http://0xa000001/", "0xa000001", netip.Addr{},
			denied, both[1:]},
		{"behind a proxy, a name", false, policy, "http://a.test/", "a.test", netip.Addr{}, netip.Addr{},
			both[1:]},
	} {
		h := &hop{Hop: &result.Hop{Answers: both}, request: &http.Request{URL: parsed(t, row.url)},
			attempt: &attempt{target: Target{URL: parsed(t, "http://a.test/"), Policy: row.policy,
				Configured: row.configured}}}
		if row.addr.IsValid() {
			h.Addr = netip.AddrPortFrom(row.addr, 80)
		}
		before := h.Addr
		err := h.permitted(row.host)
		if refused, ok := errors.AsType[*result.DeniedError](err); ok != row.refused.IsValid() ||
			ok && (refused.Addr != row.refused || !refused.Network.Contains(row.refused)) {
			t.Errorf("%s: error %v, want one of %v", row.name, err, row.refused)
		}
		if row.refused.IsValid() {
			before = netip.AddrPort{}
		}
		if h.Addr != before {
			t.Errorf("%s: Addr = %v, want %v", row.name, h.Addr, before)
		}
		if diff := cmp.Diff(row.answers, h.Answers, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: Answers (-want +got):\n%s", row.name, diff)
		}
	}
	if len(both) != 2 || both[0] != denied {
		t.Errorf("the answers that others hold were changed: %v", both)
	}
}

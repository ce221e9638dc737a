package metrics

import (
	"net/netip"
	"testing"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestChosen(t *testing.T) {
	v4, v6, proxy := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7"),
		netip.MustParseAddrPort("10.0.0.3:3128")
	for _, row := range []struct {
		name   string
		hop    result.Hop
		module module.Module
		want   netip.Addr
	}{
		{"dialled", result.Hop{Answers: []netip.Addr{v6, v4}, Addr: netip.AddrPortFrom(v4, 80)},
			module.Module{PreferIPv6: true}, v4},
		{"through a proxy, IPv6 preferred", result.Hop{Answers: []netip.Addr{v4, v6}, Addr: proxy, Proxy: "http://p"},
			module.Module{PreferIPv6: true}, v6},
		{"through a proxy, IPv4 preferred", result.Hop{Answers: []netip.Addr{v6, v4}, Addr: proxy, Proxy: "http://p"},
			module.Module{}, v4},
		{"through a proxy, the other family will do",
			result.Hop{Answers: []netip.Addr{v6}, Addr: proxy, Proxy: "http://p"},
			module.Module{IPProtocolFallback: true}, v6},
		{"the other family will not do", result.Hop{Answers: []netip.Addr{v6}}, module.Module{}, netip.Addr{}},
		{"IPv4 in IPv6", result.Hop{Answers: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7")}}, module.Module{},
			v4},
		{"not resolved", result.Hop{}, module.Module{IPProtocolFallback: true}, netip.Addr{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := chosen(&row.hop, &row.module); got != row.want {
				t.Errorf("chosen(%+v, %+v) = %s, want %s", row.hop, row.module, got, row.want)
			}
		})
	}
}

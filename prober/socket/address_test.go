package socket

import (
	"net"
	"net/netip"
	"testing"
)

func TestAddrPort(t *testing.T) {
	for _, row := range []struct {
		name string
		addr net.Addr
		want netip.AddrPort
	}{
		{"TCP", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, netip.MustParseAddrPort("192.0.2.1:80")},
		{"UDP over IPv6", &net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 53},
			netip.MustParseAddrPort("[2001:db8::1]:53")},
		{"a zone", &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 80, Zone: "eth0"},
			netip.MustParseAddrPort("[fe80::1%eth0]:80")},
		{"a path", &net.UnixAddr{Name: "/run/socket"}, netip.AddrPort{}},
		{"none", nil, netip.AddrPort{}},
	} {
		if got := AddrPort(row.addr); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

func TestIsLocal(t *testing.T) {
	for _, row := range []struct {
		addr string
		want bool
	}{{"127.0.0.1", true}, {"127.9.9.9", true}, {"::1", true}, {"192.0.2.1", false}, {"2001:db8::1", false}} {
		if got := IsLocal(netip.MustParseAddr(row.addr)); got != row.want {
			t.Errorf("%s: %t, want %t", row.addr, got, row.want)
		}
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		if prefix := netip.MustParsePrefix(a.String()); !IsLocal(prefix.Addr()) {
			t.Errorf("%s is an address of an interface, and not local", a)
		}
	}
}

package socket

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// An interface is named by its name or its number (RFC 4007 section 11.2).
func TestNewSockaddr(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("this host has no interface lo")
	}
	local := netip.MustParseAddr("fe80::1").As16()
	for _, row := range []struct {
		addr string
		want unix.Sockaddr // nil: an error
	}{
		{"192.0.2.1:80", &unix.SockaddrInet4{Port: 80, Addr: [4]byte{192, 0, 2, 1}}},
		{"[fe80::1]:80", &unix.SockaddrInet6{Port: 80, Addr: local}},
		{"[fe80::1%7]:80", &unix.SockaddrInet6{Port: 80, Addr: local, ZoneId: 7}},
		{"[fe80::1%lo]:80", &unix.SockaddrInet6{Port: 80, Addr: local, ZoneId: uint32(lo.Index)}},
		{"[fe80::1%no-such-interface]:80", nil},
	} {
		got, err := newSockaddr(netip.MustParseAddrPort(row.addr))
		if (err != nil) != (row.want == nil) {
			t.Errorf("%s: error %v", row.addr, err)
		}
		switch want := row.want.(type) {
		case *unix.SockaddrInet4:
			if four, ok := got.(*unix.SockaddrInet4); !ok || four.Port != want.Port || four.Addr != want.Addr {
				t.Errorf("%s: %+v, want %+v", row.addr, got, want)
			}
		case *unix.SockaddrInet6:
			if six, ok := got.(*unix.SockaddrInet6); !ok || six.Port != want.Port || six.Addr != want.Addr ||
				six.ZoneId != want.ZoneId {
				t.Errorf("%s: %+v, want %+v", row.addr, got, want)
			}
		}
	}
}

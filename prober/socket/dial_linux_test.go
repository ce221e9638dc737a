package socket

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDialFailures: a dial that fails returns the error of net.Dialer.
func TestDialFailures(t *testing.T) {
	unused := func(network, address string) netip.AddrPort {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return netip.MustParseAddrPort(l.Addr().String())
	}
	for _, row := range []struct {
		name    string
		network string
		to      netip.AddrPort
	}{
		{"refused", "tcp4", unused("tcp4", "127.0.0.1:0")},
		{"refused, IPv6", "tcp6", unused("tcp6", "[::1]:0")},
		{"an address on an interface that has none such", "tcp6", netip.MustParseAddrPort("[fe80::1%lo]:1")},
		{"an interface by its number", "tcp6", netip.MustParseAddrPort("[fe80::1%1]:1")},
		{"an address that nobody can have", "tcp4", netip.MustParseAddrPort("255.255.255.255:1")},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, theirs := new(net.Dialer).DialContext(ctx, row.network, row.to.String())
			d, err := dial(ctx, row.to, &Options{network: row.network})
			if err == nil || theirs == nil || d.conn != nil {
				t.Fatalf("dialled %v: %v, net.Dialer: %v; want failures", d.conn, err, theirs)
			}
			if err.Error() != theirs.Error() {
				t.Errorf("%q, want net.Dialer's %q", err, theirs)
			}
		})
	}
}

// The options of a connection reach its socket.
func TestOptions(t *testing.T) {
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	six, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this host has no IPv6")
	}
	defer six.Close()
	source := netip.MustParseAddr("127.0.0.2")
	for _, row := range []struct {
		name          string
		to            net.Addr
		options       Options
		level, option int
		least, most   int
	}{
		{"Nagle's algorithm is off", four.Addr(), Options{}, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1, 1},
		{"ICMP is reported only until it is connected", four.Addr(), Options{}, unix.IPPROTO_IP, unix.IP_RECVERR, 0, 0},
		{"the same over IPv6", six.Addr(), Options{}, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 0, 0},
		{"a TTL", four.Addr(), Options{TTL: 7}, unix.IPPROTO_IP, unix.IP_TTL, 7, 7},
		{"a TTL over IPv6", six.Addr(), Options{TTL: 7}, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, 7, 7},
		{"a maximum segment, perhaps less twelve bytes for timestamps", four.Addr(), Options{MaxSegment: 500},
			unix.IPPROTO_TCP, unix.TCP_MAXSEG, 488, 500},
		{"a source", four.Addr(), Options{Source: source}, unix.SOL_SOCKET, unix.SO_ERROR, 0, 0},
	} {
		row.options.Start = time.Now()
		r, _, err := Connect(t.Context(), AddrPort(row.to), row.options)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		got := -1
		if err := r.raw.Control(func(fd uintptr) {
			got, err = unix.GetsockoptInt(int(fd), row.level, row.option)
		}); err != nil {
			t.Error(err)
		}
		if got < row.least || got > row.most {
			t.Errorf("%s: %d, want %d to %d", row.name, got, row.least, row.most)
		}
		if local := r.Wire().Local.Addr(); row.options.Source.IsValid() && local != row.options.Source {
			t.Errorf("%s: from %v, want %v", row.name, local, row.options.Source)
		}
		_ = r.Close()
	}
}

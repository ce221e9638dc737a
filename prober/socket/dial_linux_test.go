package socket

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
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

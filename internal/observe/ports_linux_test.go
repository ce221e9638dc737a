package observe

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// Local ports are counted by the remote end, whatever state their sockets are in, and only those of the range. Here it
// is one port, which several addresses of the loopback interface use, so that no other program's connections count.
func TestMostPorts(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connect := func(from string) (client, server net.Conn) {
		local, err := net.ResolveTCPAddr("tcp4", from)
		if err != nil {
			t.Fatal(err)
		}
		client, err = (&net.Dialer{LocalAddr: local}).Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		server, err = l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		return client, server
	}
	first, _ := connect("127.0.0.1:0")
	port := first.LocalAddr().(*net.TCPAddr).AddrPort().Port()
	for host := 2; host <= 5; host++ {
		client, server := connect(fmt.Sprintf("127.0.0.%d:%d", host, port))
		if host%2 == 0 { // then the client is in TIME_WAIT
			_ = client.Close()
			_ = server.Close()
		}
	}
	connect("127.0.0.1:0")
	for _, row := range []struct {
		name      string
		low, high uint16
		want      int
	}{
		{"the port alone", port, port, 5},
		{"an empty range", port, port - 1, 0},
	} {
		if got, err := MostPorts(row.low, row.high); got != row.want || err != nil {
			t.Errorf("%s: MostPorts(%d, %d) = %d, %v, want %d", row.name, row.low, row.high, got, err, row.want)
		}
	}
}

// Each destination has its own count, and an IPv4 address mapped into IPv6 is the IPv4 address.
func TestCountPort(t *testing.T) {
	local := netip.MustParseAddrPort("192.0.2.2:50000")
	used := map[netip.AddrPort]int{}
	for _, s := range []struct {
		family uint8
		remote string
	}{
		{familyIPv4, "192.0.2.1:443"}, {familyIPv6, "[::ffff:192.0.2.1]:443"}, {familyIPv4, "192.0.2.1:80"},
		{familyIPv6, "[2001:db8::1]:443"}, {familyIPv4, "0.0.0.0:0"},
	} {
		remote := netip.MustParseAddrPort(s.remote)
		countPort(used, message(s.family, local, remote, nil)[headerLength:])
	}
	countPort(used, make([]byte, messageLength-1))
	if got := most(used); got != 2 || len(used) != 3 {
		t.Errorf("most of %v is %d, want 2 of 3 destinations", used, got)
	}
}

// The destinations that are counted are bounded; those that are known go on.
func TestDestinationsAreBounded(t *testing.T) {
	used := map[netip.AddrPort]int{}
	count := func(i int) {
		remote := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 443)
		countPort(used, message(familyIPv4, netip.AddrPort{}, remote, nil)[headerLength:])
	}
	for i := range maxDestinations + 100 {
		count(i)
	}
	count(0)
	if got := most(used); got != 2 || len(used) != maxDestinations {
		t.Errorf("%d destinations, most %d, want %d and 2", len(used), got, maxDestinations)
	}
}

// A kernel that does not list both address families at once is asked for one after the other.
func TestPortsOfAFamily(t *testing.T) {
	n, err := openNetlink()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.DialTimeout("tcp4", l.Addr().String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	port := client.LocalAddr().(*net.TCPAddr).AddrPort().Port()
	server := l.Addr().(*net.TCPAddr).AddrPort()
	for _, row := range []struct {
		family uint8
		want   int
	}{{anyFamily, 1}, {familyIPv4, 1}, {familyIPv6, 0}} {
		used := map[netip.AddrPort]int{}
		if err := n.ask(portsRequest(row.family, port, port), func(body []byte) { countPort(used, body) }); err != nil ||
			used[server] != row.want {
			t.Errorf("family %d: %d sockets towards %s, %v, want %d", row.family, used[server], server, err, row.want)
		}
	}
}

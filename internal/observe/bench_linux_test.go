package observe

import (
	"net"
	"net/netip"
	"testing"
)

// What the parts of an observer cost: reading the namespace's counters, a message about an end, and a socket of a dump.
func BenchmarkObserver(b *testing.B) {
	o, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	o.Close()
	if o.files, err = openCounters(); err != nil {
		b.Fatal(err)
	}
	defer o.closeFiles()
	address := netip.MustParseAddrPort("192.0.2.1:443")
	o.targets.learn("api", []netip.AddrPort{address}, o.began)
	whole := message(familyIPv4, netip.MustParseAddrPort("192.0.2.2:50000"), address, tcpInfoBytes(248))
	b.Run("counters", func(b *testing.B) {
		for b.Loop() {
			o.readCounts()
		}
	})
	b.Run("end", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			messages(whole, o.pend)
			o.conclude(counts{})
		}
	})
	b.Run("socket of a dump", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.list(whole[headerLength:], o.began)
		}
	})
}

// What it costs to count the local ports towards one destination, where 10,000 sockets in TIME_WAIT have one.
func BenchmarkMostPorts(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for range 10_000 {
		client, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		_, _ = client.Close(), server.Close()
	}
	b.ReportAllocs()
	most := 0
	for b.Loop() {
		if most, err = MostPorts(1, 65535); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(most), "most")
}

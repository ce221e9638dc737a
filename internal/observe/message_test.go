package observe

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// message is a netlink message about a socket.
func message(family uint8, local, remote netip.AddrPort, info []byte) []byte {
	b := make([]byte, headerLength+messageLength)
	m := b[headerLength:]
	m[0], m[1] = family, uint8(closeWait)
	binary.BigEndian.PutUint16(m[4:], local.Port())
	binary.BigEndian.PutUint16(m[6:], remote.Port())
	copy(m[8:], local.Addr().AsSlice())
	copy(m[24:], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint64(m[44:], 77)
	binary.NativeEndian.PutUint32(m[56:], 1)
	binary.NativeEndian.PutUint32(m[60:], 2)
	attribute := func(kind uint16, value []byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(attributeLength+len(value)))
		b = binary.NativeEndian.AppendUint16(b, kind)
		b = append(b, value...)
		b = append(b, make([]byte, align(len(value))-len(value))...)
	}
	attribute(15, []byte{6}) // INET_DIAG_PROTOCOL
	attribute(attributeTCPInfo, info)
	attribute(attributeCgroup, binary.NativeEndian.AppendUint64(nil, 78))
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], typeSocket)
	return b
}

// tcpInfoBytes is a struct tcp_info in which each number of 32 bits is its own offset.
func tcpInfoBytes(length int) []byte {
	b := make([]byte, length)
	for i := 0; i+4 <= length; i += 4 {
		binary.NativeEndian.PutUint32(b[i:], uint32(i))
	}
	return b
}

// A socket's message is read, with the tcp_info of a new kernel, of an old one, and of one too old.
func TestParseSocket(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("[2001:db8::1]:443")
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:80")
	u64 := func(at int) uint64 { return binary.NativeEndian.Uint64(tcpInfoBytes(at + 8)[at:]) }
	old := tcpInfo{known: true, unacknowledged: 24, lastSent: 44 * time.Millisecond,
		lastReceived: 52 * time.Millisecond, lastACK: 56 * time.Millisecond, rtt: 68 * time.Microsecond,
		rttVariance: 72 * time.Microsecond, totalRetransmits: 100, window: 16 * 80, bytesAcked: u64(120), bytesReceived: u64(128),
		notSent: 144, dataSegmentsIn: 152}
	full := old
	full.windowLimited = time.Duration(u64(176)) * time.Microsecond
	full.hasBytesSent, full.bytesSent, full.bytesRetransmit = true, u64(200), u64(208)
	for _, row := range []struct {
		name    string
		message []byte
		address netip.AddrPort
		info    tcpInfo
	}{
		{"IPv4", message(familyIPv4, four, four, tcpInfoBytes(248)), four, full},
		{"IPv6", message(familyIPv6, six, six, tcpInfoBytes(248)), six, full},
		{"IPv4 of an IPv6 socket", message(familyIPv6, mapped, mapped, tcpInfoBytes(248)), four, full},
		{"Linux 4.6", message(familyIPv4, four, four, tcpInfoBytes(160)), four, old},
		{"Linux 4.1", message(familyIPv4, four, four, tcpInfoBytes(136)), four, tcpInfo{}},
		{"TIME_WAIT", message(familyIPv4, four, four, nil), four, tcpInfo{}},
	} {
		want := sighting{cookie: 77, cgroup: 78, local: row.address, remote: row.address, state: closeWait, readQueue: 1,
			writeQueue: 2, info: row.info}
		var got []sighting
		messages(row.message, func(h header, body []byte) {
			var s sighting
			if h.kind == typeSocket && parseSocket(body, &s) {
				got = append(got, s)
			}
		})
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, want %+v", row.name, got, want)
		}
	}
}

// Whatever the kernel writes, nothing panics, and nothing beyond a datagram is read.
func FuzzMessages(f *testing.F) {
	address := netip.MustParseAddrPort("192.0.2.1:80")
	whole := message(familyIPv4, address, address, tcpInfoBytes(248))
	f.Add(whole)
	f.Add(append(whole[:len(whole):len(whole)], whole...))
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		messages(b, func(_ header, body []byte) {
			total += headerLength + len(body)
			var s sighting
			if parseSocket(body, &s) != (len(body) >= messageLength) {
				t.Errorf("a body of %d bytes was read or not", len(body))
			}
			_, _ = (&evidence{end: s}).conclude()
			if s.idle() < 0 || s.tcp().RTT < 0 {
				t.Errorf("a negative duration: %+v", s)
			}
		})
		if total > len(b) {
			t.Errorf("%d bytes of messages in a datagram of %d", total, len(b))
		}
	})
}

// The two files of counters, as Linux writes them.
func TestParseCounts(t *testing.T) {
	var got counts
	got.parse("Ip: Forwarding DefaultTTL\nIp: 1 64\n" +
		"Tcp: RtoAlgorithm MaxConn EstabResets CurrEstab OutRsts\nTcp: 1 -1 7 3 9\nUdp: OutRsts\nUdp: 5\n")
	got.parse("TcpExt: TW TCPTimeWaitOverflow TCPAbortOnData TCPAbortOnClose TCPAbortOnTimeout\n" +
		"TcpExt: 4 1 2 3 6\nIpExt: InOctets\nIpExt: 1\n")
	want := counts{estabResets: 7, resetsSent: 9, abortOnClose: 3, abortOnData: 2, abortOnTimeout: 6, timeWaitOverflow: 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := want.since(counts{estabResets: 5, resetsSent: 9}); got.estabResets != 2 || got.resetsSent != 0 {
		t.Errorf("since: %+v", got)
	}
	var broken counts
	broken.parse("Tcp: EstabResets OutRsts\nTcp: x\nTcp:")
	if broken != (counts{}) {
		t.Errorf("of a broken file: %+v", broken)
	}
}

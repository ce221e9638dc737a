package reset

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

// The packets of the tests, from port 80 to port 40000, in literal bytes: IP headers and TCP headers.
var (
	ipv4Header = []byte{0x45, 0, 0, 40, 0xbe, 0xef, 0x40, 0, 61, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2}
	ipv6Header = []byte{0x60, 0, 0, 0, 0, 20, 6, 254, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}
	bareRST = []byte{0, 80, 0x9c, 0x40, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 4, 0, 0, 0, 0, 0, 0}
	rstACK  = []byte{0, 80, 0x9c, 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x14, 0, 64, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0,
		0, 0, 2}
	finACK = []byte{0, 80, 0x9c, 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x11, 0, 64, 0, 0, 0, 0}
	synACK = []byte{0, 80, 0x9c, 0x40, 1, 2, 3, 3, 5, 6, 7, 7, 0x50, 0x12, 0xff, 0, 0, 0, 0, 0}
)

// packet is an IP header and what follows it, with its length in it.
func packet(header []byte, parts ...[]byte) []byte {
	b := slices.Concat(append([][]byte{header}, parts...)...)
	if b[0]>>4 == 4 {
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	} else {
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	}
	return b
}

// segmentRows are packets, and what is kept of them.
func segmentRows() []segmentRow {
	local4, remote4 := netip.MustParseAddrPort("198.51.100.2:40000"), netip.MustParseAddrPort("192.0.2.1:80")
	local6, remote6 := netip.MustParseAddrPort("[2001::2]:40000"), netip.MustParseAddrPort("[2001::1]:80")
	four := segment{local: local4, remote: remote4, flags: flagRST, ttl: 61, ipv4: true, df: true, id: 0xbeef,
		sequence: 0x01020304}
	with := func(change func(*segment)) segment { s := four; change(&s); return s }
	said := func(text string) segment { return with(func(s *segment) { s.payload = text }) }
	finished := func(length int) segment {
		return with(func(s *segment) {
			s.flags, s.acknowledged, s.window, s.length = flagFIN|flagACK, 0x05060708, 64, length
		})
	}
	longer := append([]byte{0x46}, append(slices.Clone(ipv4Header[1:]), 1, 1, 1, 1)...)
	changed := func(header []byte, at int, to byte) []byte { b := slices.Clone(header); b[at] = to; return b }
	long := strings.Repeat("x", 300)
	return []segmentRow{
		{"a RST over IPv4", packet(ipv4Header, bareRST), four, true},
		{"with IP options", packet(longer, bareRST), four, true},
		{"without DF, ID 0", packet(changed(changed(changed(ipv4Header, 4, 0), 5, 0), 6, 0), bareRST),
			with(func(s *segment) { s.df, s.id = false, 0 }), true},
		{"a RST-ACK with options", packet(ipv4Header, rstACK), with(func(s *segment) {
			s.flags, s.options, s.acknowledged, s.window = flagRST|flagACK, true, 0x05060708, 64
		}), true},
		{"a FIN", packet(ipv4Header, finACK), finished(0), true},
		{"a FIN with data", packet(ipv4Header, finACK, []byte("bye")), finished(3), true},
		{"a FIN with data that was cut", packet(ipv4Header, finACK, []byte(long))[:256], finished(300), true},
		{"a FIN over IPv6 with data", packet(ipv6Header, finACK, []byte("bye")), segment{local: local6, remote: remote6,
			flags: flagFIN | flagACK, ttl: 254, window: 64, sequence: 0x01020304, acknowledged: 0x05060708, length: 3}, true},
		{"a FIN padded by Ethernet", append(packet(ipv4Header, finACK), 0, 0, 0, 0, 0, 0), finished(0), true},
		{"padded by Ethernet", append(packet(ipv4Header, bareRST), 0, 0, 0, 0, 0, 0), four, true},
		{"a SYN-ACK over IPv6", packet(ipv6Header, synACK), segment{local: local6, remote: remote6,
			flags: flagSYN | flagACK, ttl: 254, window: 0xff00, sequence: 0x01020303, acknowledged: 0x05060707}, true},
		{"a RST over IPv6 with a payload", packet(ipv6Header, bareRST, []byte("no")), segment{local: local6,
			remote: remote6, flags: flagRST, ttl: 254, sequence: 0x01020304, payload: "no"}, true},
		{"a text", packet(ipv4Header, bareRST, []byte("port ü closed")), said("port ü closed"), true},
		{"CBOR with a text", packet(ipv4Header, bareRST, []byte("\xa1\x01\x62no")), said("\ufffd\ufffdbno"), true},
		{"a text that drives terminals", packet(ipv4Header, bareRST, []byte("\x1b[31mr\r\n\u202e<b>")),
			said("\ufffd[31mr\ufffd\ufffd\ufffd<b>"), true},
		{"a text that is long", packet(ipv4Header, bareRST, []byte(long)), said(long[:100]), true},
		{"a text that is long, and binary", packet(ipv4Header, bareRST, []byte(strings.Repeat("\x00", 300))),
			said(strings.Repeat("\ufffd", 32) + "…"), true},
		{"the payload of a SYN-ACK", packet(ipv6Header, synACK, []byte("no")), segment{local: local6, remote: remote6,
			flags: flagSYN | flagACK, ttl: 254, window: 0xff00, sequence: 0x01020303, acknowledged: 0x05060707}, true},
		{"a TCP header that is longer than the packet", packet(ipv4Header, changed(bareRST, 12, 0xf0)),
			with(func(s *segment) { s.options = true }), true},
		{"a TCP header that is too short", packet(ipv4Header, changed(bareRST, 12, 0), []byte("no")), four, true},
		{"an IP length that is too short", changed(packet(ipv4Header, bareRST), 3, 30), segment{ttl: 61, ipv4: true,
			df: true, id: 0xbeef}, false},
		{"an IP header that is too short", changed(changed(packet(ipv4Header, bareRST), 0, 0x41), 3, 0), segment{}, false},
		{"UDP", packet(changed(ipv4Header, 9, 17), bareRST), segment{}, false},
		{"no TCP header", ipv4Header, segment{ttl: 61, ipv4: true, df: true, id: 0xbeef}, false},
		{"a part of an IPv6 header", ipv6Header[:30], segment{}, false},
		{"nothing", nil, segment{}, false},
	}
}

type segmentRow struct {
	name   string
	packet []byte
	want   segment
	ok     bool
}

func TestParseSegment(t *testing.T) {
	for _, row := range segmentRows() {
		got, ok := parseSegment(row.packet)
		if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(segment{}),
			cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || ok != row.ok {
			t.Errorf("%s: parsed %t, want %t (-want +got):\n%s", row.name, ok, row.ok, diff)
		}
	}
}

// Whatever arrives, the text of a RST is printable and short, and a SYN-ACK has none.
func FuzzSegment(f *testing.F) {
	for _, row := range segmentRows() {
		f.Add(row.packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, _ := parseSegment(packet)
		odd := strings.ContainsFunc(s.payload, func(r rune) bool { return !strconv.IsPrint(r) && r != utf8.RuneError })
		if odd || len(s.payload) > maxPayload || !utf8.ValidString(s.payload) || s.payload != "" && s.flags&flagRST == 0 {
			t.Errorf("payload %q of a segment with flags %#x", s.payload, s.flags)
		}
	})
}

func TestSender(t *testing.T) {
	remote, own := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("127.0.0.1:80")
	for _, row := range []struct {
		name      string
		reset     segment
		reference uint8
		want      result.Sender
	}{
		{"as far away as the server", segment{remote: remote, ttl: 61}, 61, result.EndHost},
		{"nearer than the server", segment{remote: remote, ttl: 63}, 61, result.Middlebox},
		{"farther away than the server", segment{remote: remote, ttl: 60}, 61, result.Ambiguous},
		{"another initial TTL", segment{remote: remote, ttl: 125}, 61, result.Ambiguous},
		{"an initial TTL of 255", segment{remote: remote, ttl: 250}, 249, result.Middlebox},
		{"nothing known of the server", segment{remote: remote, ttl: 61}, 0, result.Ambiguous},
		{"over loopback, in a remote server's name", segment{remote: remote, ttl: 64, loopback: true}, 64,
			result.ThisHost},
		{"over loopback, from this host's server", segment{remote: own, ttl: 64, loopback: true}, 64, result.EndHost},
	} {
		if got := senderOf(&row.reset, row.reference); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// A nil Capture, which is what a process without CAP_NET_RAW has, reports nothing.
func TestNilCapture(t *testing.T) {
	var c *Capture
	remote := netip.MustParseAddrPort("192.0.2.1:80")
	ended, refused := c.Ended(&result.Wire{Remote: remote}), c.Refused(remote, time.Time{})
	if ended != nil || refused != nil {
		t.Errorf("Ended = %+v, Refused = %+v, want nil", ended, refused)
	}
}

package reset

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

// packet returns an IP packet with a TCP segment from port 80 to port 40000.
func packet(ip []byte, dataOffset, flags byte) []byte {
	tcp := make([]byte, 20)
	tcp[1], tcp[2], tcp[3], tcp[12], tcp[13] = 80, 40000>>8, 40000&0xff, dataOffset<<4, flags
	return append(ip, tcp...)
}

func TestParseSegment(t *testing.T) {
	ipv4 := []byte{0: 0x45, 8: 61, 9: 6, 12: 192, 14: 2, 15: 1, 16: 198, 17: 51, 18: 100, 19: 2}
	withOptions := append([]byte{0: 0x46, 8: 61, 9: 6, 12: 192, 14: 2, 15: 1, 16: 198, 17: 51, 18: 100, 19: 2}, 1, 1, 1,
		1)
	ipv6 := []byte{0: 0x60, 6: 6, 7: 254, 8: 0x20, 9: 1, 23: 1, 24: 0x20, 25: 1, 39: 2}
	v4 := [2]netip.AddrPort{netip.MustParseAddrPort("198.51.100.2:40000"), netip.MustParseAddrPort("192.0.2.1:80")}
	v6 := [2]netip.AddrPort{netip.MustParseAddrPort("[2001::2]:40000"), netip.MustParseAddrPort("[2001::1]:80")}
	udp := append([]byte{}, ipv4...)
	udp[9] = 17
	for _, row := range []struct {
		name   string
		packet []byte
		want   segment
		ok     bool
	}{
		{"a RST over IPv4", packet(ipv4, 5, flagRST), segment{v4[0], v4[1], flagRST, 61, false, false}, true},
		{"with IP options", packet(withOptions, 5, flagRST), segment{v4[0], v4[1], flagRST, 61, false, false}, true},
		{"with TCP options", packet(ipv4, 8, flagRST|flagACK),
			segment{v4[0], v4[1], flagRST | flagACK, 61, true, false}, true},
		{"a SYN-ACK over IPv6", packet(ipv6, 5, flagSYN|flagACK),
			segment{v6[0], v6[1], flagSYN | flagACK, 254, false, false}, true},
		{"UDP", packet(udp, 5, flagRST), segment{}, false},
		{"no TCP header", ipv4, segment{ttl: 61}, false},
		{"a part of an IPv6 header", ipv6[:30], segment{}, false},
		{"nothing", nil, segment{}, false},
	} {
		got, ok := parseSegment(row.packet)
		if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(segment{}),
			cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || ok != row.ok {
			t.Errorf("%s: parsed %t, want %t (-want +got):\n%s", row.name, ok, row.ok, diff)
		}
	}
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
	if ended, refused := c.Ended(remote, remote), c.Refused(remote, time.Time{}); ended != nil || refused != nil {
		t.Errorf("Ended = %+v, Refused = %+v, want nil", ended, refused)
	}
}

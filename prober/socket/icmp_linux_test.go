package socket

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"errno_exporter/prober/result"
)

// An ICMP message is read from struct sock_extended_err and the router's address behind it.
func TestParseExtendedErr(t *testing.T) {
	head := func(origin, kind, code byte) []byte {
		b := binary.NativeEndian.AppendUint32(nil, uint32(unix.EHOSTUNREACH))
		return append(b, origin, kind, code, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	four := append(binary.NativeEndian.AppendUint16(nil, unix.AF_INET), 0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	router := netip.MustParseAddr("2001:db8::1").As16()
	six := append(binary.NativeEndian.AppendUint16(nil, unix.AF_INET6), 0, 0, 0, 0, 0, 0)
	six = append(append(six, router[:]...), 0, 0, 0, 0)
	for _, row := range []struct {
		name string
		data []byte
		want *result.ICMP
	}{
		{"ICMP", append(head(2, 3, 13), four...), &result.ICMP{Type: 3, Code: 13, Errno: unix.EHOSTUNREACH,
			From: netip.MustParseAddr("192.0.2.1")}},
		{"ICMPv6", append(head(3, 1, 1), six...), &result.ICMP{Type: 1, Code: 1, Errno: unix.EHOSTUNREACH,
			From: netip.AddrFrom16(router)}},
		{"ICMP without an address", head(2, 3, 1), &result.ICMP{Type: 3, Code: 1, Errno: unix.EHOSTUNREACH}},
		{"of this host", append(head(1, 0, 0), four...), nil},
		{"a timestamp", append(head(unix.SO_EE_ORIGIN_TIMESTAMPING, 0, 0), four...), nil},
	} {
		got := parseExtendedErr(row.data)
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

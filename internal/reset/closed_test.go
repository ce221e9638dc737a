package reset

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// What a FIN of the peer says: whether the socket has counted it, and whether it acknowledges this side's own.
func TestClosed(t *testing.T) {
	local, remote := netip.MustParseAddrPort("198.51.100.2:40000"), netip.MustParseAddrPort("192.0.2.1:80")
	// The SYN-ACK has the numbers 0x01020303 and 0x05060707: of the first bytes of both streams, 0x01020304 and that.
	const sequence, acknowledged = 0x01020304, 0x05060707
	fin := func(received, acked uint32, data string) []byte {
		b := slices.Concat(finACK, []byte(data))
		binary.BigEndian.PutUint32(b[4:], sequence+received)
		binary.BigEndian.PutUint32(b[8:], acknowledged+acked)
		return b
	}
	for _, row := range []struct {
		name    string
		packets [][]byte
		counted Bytes // 5 bytes sent and 7 received, with the FINs that are counted
		want    Closing
	}{
		{"nothing captured", nil, Bytes{8, 7}, Closing{}},
		{"no SYN-ACK", [][]byte{fin(7, 5, "")}, Bytes{8, 7}, Closing{}},
		{"no FIN", [][]byte{synACK}, Bytes{7, 7}, Closing{Known: true}},
		{"a FIN before this side's", [][]byte{synACK, fin(7, 5, "")}, Bytes{8, 7}, Closing{true, true, true, false}},
		{"with the last data", [][]byte{synACK, fin(4, 5, "bye")}, Bytes{8, 7}, Closing{true, true, true, false}},
		{"a FIN after this side's", [][]byte{synACK, fin(7, 6, "")}, Bytes{8, 7}, Closing{true, true, true, true}},
		{"a FIN that the socket did not get", [][]byte{synACK, fin(7, 5, "")}, Bytes{7, 7},
			Closing{Known: true, FIN: true}},
		{"repeated, with a later acknowledgement", [][]byte{synACK, fin(7, 5, ""), fin(7, 6, "")}, Bytes{8, 7},
			Closing{true, true, true, false}},
		{"of the connection before", [][]byte{synACK, fin(7, 5, ""), synACK}, Bytes{8, 7}, Closing{Known: true}},
		{"sequence numbers that wrap around", [][]byte{at(synACK, 0xfffffffe), at(fin(0, 5, ""), 6)}, Bytes{8, 7},
			Closing{true, true, true, false}},
	} {
		source := &script{}
		for _, p := range row.packets {
			source.arrivals = append(source.arrivals, arrival{packet(ipv4Header, p), false, time.Now()})
		}
		c := newCapture(source, nil)
		c.fins = true
		if got := c.Closed(local, remote, row.counted); got != row.want {
			t.Errorf("%s: Closed() = %+v, want %+v", row.name, got, row.want)
		}
	}
	var none *Capture
	before := newCapture(&script{arrivals: []arrival{{packet(ipv4Header, synACK), false, time.Now()}}}, nil)
	before.drain()
	before.fins = true
	for name, c := range map[string]*Capture{"no capture": none, "a connection from before SeeFINs": before} {
		if got := c.Closed(local, remote, Bytes{8, 7}); got != (Closing{}) {
			t.Errorf("%s: Closed() = %+v, want nothing", name, got)
		}
	}
}

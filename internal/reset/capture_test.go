package reset

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/claims"
	"errno_exporter/prober/result"
)

// script is a source of packets that have all arrived.
type script struct{ arrivals []arrival }

func (s *script) read(each func(arrival)) {
	for _, a := range s.arrivals {
		each(a)
	}
	s.arrivals = nil
}

func (s *script) close() {}

// at is a TCP header with a sequence number.
func at(header []byte, sequence uint32) []byte {
	b := slices.Clone(header)
	binary.BigEndian.PutUint32(b[4:], sequence)
	return b
}

// Which of several RSTs ended the connection, and what it is beside the others.
func TestEnded(t *testing.T) {
	local, remote := netip.MustParseAddrPort("198.51.100.2:40000"), netip.MustParseAddrPort("192.0.2.1:80")
	began := time.Now()
	const first = 0x01020304 // of the server's bytes, of which 10 were received with a window of 1000
	wire := &result.Wire{Local: local, Remote: remote, InfoAt: "failure",
		Info: &result.TCPInfo{BytesReceived: 10, RcvWnd: 1000}}
	early := *wire
	early.InfoAt = "deadline"
	seen := func(index, count int, s result.Sequence) result.RST {
		return result.RST{Arrived: began.Add(time.Duration(index) * time.Millisecond), Sequence: s, Acked: -1,
			AfterSYNACK: time.Duration(index) * time.Millisecond, IPv4: true, ID: 0xbeef, DF: true, Index: index,
			Count: count}
	}
	const exact, inWindow, outside = result.SequenceExact, result.SequenceInWindow, result.SequenceOutside
	with := func(r result.RST, change func(*result.RST)) result.RST { change(&r); return r }
	for _, row := range []struct {
		name    string
		wire    *result.Wire
		packets [][]byte
		want    result.RST
	}{
		{"one", wire, [][]byte{synACK, at(bareRST, first+10)}, seen(1, 1, exact)},
		{"one that is in the window", wire, [][]byte{synACK, at(bareRST, first+11)}, seen(1, 1, inWindow)},
		{"the last one of the window", wire, [][]byte{synACK, at(bareRST, first+1009)}, seen(1, 1, inWindow)},
		{"one behind the window", wire, [][]byte{synACK, at(bareRST, first+1010)}, seen(1, 1, outside)},
		{"one that is old", wire, [][]byte{synACK, at(bareRST, first+9)}, seen(1, 1, outside)},
		{"TCP_INFO is older", &early, [][]byte{synACK, at(bareRST, first+10)}, seen(1, 1, "")},
		{"no SYN-ACK was captured", wire, [][]byte{nil, at(bareRST, first+10)},
			with(seen(1, 1, ""), func(r *result.RST) { r.AfterSYNACK = 0 })},
		{"a RST-ACK", wire, [][]byte{synACK, at(rstACK, first+10)},
			with(seen(1, 1, exact), func(r *result.RST) { r.ACK, r.Acked, r.Window = true, 1, 64 })},
		{"the second is exact", wire, [][]byte{synACK, at(bareRST, first), at(bareRST, first+10)}, seen(2, 2, exact)},
		{"an injector guesses", wire, [][]byte{synACK, at(bareRST, first+10), at(bareRST, first+1470),
			at(bareRST, first+4390)}, with(seen(1, 3, exact), func(r *result.RST) { r.AheadAfter = true })},
		{"a server that repeats itself, and one that has forgotten", wire, [][]byte{synACK, at(rstACK, first+10),
			at(bareRST, first+10), at(bareRST, first+5)},
			with(seen(1, 3, exact), func(r *result.RST) { r.ACK, r.Acked, r.Window = true, 1, 64 })},
		{"none is exact", wire, [][]byte{synACK, at(bareRST, first+1), at(bareRST, first+2), at(bareRST, first+3),
			at(bareRST, first+4)}, seen(4, 4, outside)},
		{"of another connection with the same ports", wire, [][]byte{synACK, at(bareRST, first+10), synACK,
			at(bareRST, first+11)}, with(seen(3, 1, inWindow), func(r *result.RST) {
			r.Index, r.AfterSYNACK = 1, time.Millisecond
		})},
	} {
		source := &script{}
		for i, p := range row.packets {
			if p != nil {
				source.arrivals = append(source.arrivals, arrival{packet(ipv4Header, p), false,
					began.Add(time.Duration(i) * time.Millisecond)})
			}
		}
		got := newCapture(source, nil).Ended(row.wire)
		if got == nil {
			t.Errorf("%s: nothing", row.name)
			continue
		}
		if diff := cmp.Diff(&row.want, got.RST); diff != "" || got.TTL != 61 || got.Doubtful() != row.want.AheadAfter {
			t.Errorf("%s: TTL %d (-want +got):\n%s", row.name, got.TTL, diff)
		}
	}
}

// A flood of RSTs takes a bounded place: of connections, of RSTs of each, and of servers.
func TestCapturedAreBounded(t *testing.T) {
	var flood []arrival
	for i := range maxFlows + 100 {
		rst := slices.Clone(bareRST)
		binary.BigEndian.PutUint16(rst[2:], uint16(i)) // ours
		flood = append(flood, arrival{packet(ipv4Header, rst), false, time.Now()})
	}
	for i := range 2 * maxServers {
		rst := slices.Clone(bareRST)
		binary.BigEndian.PutUint16(rst[0:], uint16(i))
		flood = append(flood, arrival{packet(ipv4Header, rst), false, time.Now()})
	}
	for range 10 * maxResets {
		flood = append(flood, arrival{packet(ipv4Header, bareRST, make([]byte, 150)), false, time.Now()})
	}
	c := newCapture(&script{flood}, nil)
	c.drain()
	resets, text := 0, 0
	for _, f := range c.flows {
		resets = max(resets, len(f.resets))
		for _, r := range f.resets {
			text = max(text, len(r.payload))
		}
	}
	if len(c.flows) != maxFlows || len(c.servers) != maxServers || resets != maxResets || text == 0 || text > maxPayload {
		t.Errorf("%d connections, %d servers, %d RSTs of one, %d bytes of text, want %d, %d, %d and at most %d",
			len(c.flows), len(c.servers), resets, text, maxFlows, maxServers, maxResets, maxPayload)
	}
	claims.Prove(t, "captured RSTs", maxResets, maxFlows, maxPayload)
}

// The RST that refuses a SYN is found among those of this attempt, and is no straggler of an established connection to
// the same server.
func TestRefused(t *testing.T) {
	remote, began := netip.MustParseAddrPort("192.0.2.1:80"), time.Now()
	soon, earlier := began.Add(time.Millisecond), began.Add(-time.Second)
	from := func(port uint16, header []byte) []byte { // ports of ours
		b := slices.Clone(header)
		binary.BigEndian.PutUint16(b[2:], port)
		return packet(ipv4Header, b)
	}
	refusal := at(rstACK, 0)
	want := result.RST{Arrived: soon, ACK: true, Acked: -1, Window: 64, IPv4: true, ID: 0xbeef, DF: true, Index: 1,
		Count: 1}
	for _, row := range []struct {
		name     string
		arrivals []arrival
		want     *result.RST
	}{
		{"nothing", nil, nil},
		{"one", []arrival{{from(1, refusal), false, soon}}, &want},
		{"one of an earlier attempt", []arrival{{from(1, refusal), false, earlier}}, nil},
		{"after one of an earlier attempt", []arrival{{from(1, refusal), false, earlier}, {from(2, refusal), false, soon}},
			&want},
		{"on the same port", []arrival{{from(1, refusal), false, earlier}, {from(1, refusal), false, soon}}, &want},
		{"before a straggler", []arrival{{from(1, synACK), false, earlier}, {from(2, refusal), false, soon},
			{from(1, bareRST), false, soon.Add(time.Millisecond)}}, &want},
		{"on a port that was used before", []arrival{{from(1, synACK), false, earlier}, {from(1, refusal), false, soon}},
			&want},
		{"a straggler alone", []arrival{{from(1, synACK), false, earlier}, {from(1, bareRST), false, soon}}, nil},
	} {
		var got *result.RST
		if r := newCapture(&script{row.arrivals}, nil).Refused(remote, began); r != nil {
			got = r.RST
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

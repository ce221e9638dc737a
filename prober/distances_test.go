package prober

import (
	"net/netip"
	"testing"
	"time"
)

// TTLs of servers are remembered for an hour, per address, port and source, and of the servers measured last.
func TestDistances(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	server := func(n int) pathTo {
		return pathTo{server: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(n))}
	}
	d := NewDistances()
	for n := range maxDistances + 1 {
		d.note(server(n), 60, now.Add(time.Duration(n)*time.Millisecond))
	}
	d.note(server(7), 50, now.Add(time.Minute))
	elsewhere := server(8)
	elsewhere.source = netip.MustParseAddr("192.0.2.2")
	for _, row := range []struct {
		name  string
		of    *Distances
		to    pathTo
		after time.Duration
		want  uint8
	}{
		{"the oldest made room", d, server(0), 0, 0},
		{"the next oldest", d, server(1), 0, 60},
		{"the newest", d, server(maxDistances), 0, 60},
		{"measured again", d, server(7), 0, 50},
		{"from another source", d, elsewhere, 0, 0},
		{"as old as it may be", d, server(2), distanceAge + 2*time.Millisecond, 60},
		{"too old", d, server(2), distanceAge + 3*time.Millisecond, 0},
		{"too old, and forgotten", d, server(2), 0, 0},
		{"none", nil, server(1), 0, 0},
	} {
		if got := row.of.at(row.to, now.Add(row.after)); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
	if len(d.known) > maxDistances {
		t.Errorf("%d are remembered, want at most %d", len(d.known), maxDistances)
	}
	(*Distances)(nil).note(server(1), 60, now) // does not panic
}

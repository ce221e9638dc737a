package observe

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
	"time"
	"unsafe"
)

// The table holds what was added and not removed, whatever the order, and at most what it may.
func TestTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	table, want := newTable(3000), map[uint64]uint32{}
	for step := range 200_000 {
		cookie := uint64(random.IntN(4000) + 1)
		_, known := want[cookie]
		switch r := table.find(cookie); {
		case known != (r != nil) || known && (r.cookie != cookie || r.segments != want[cookie]):
			t.Fatalf("step %d: find(%d) = %+v, want %t", step, cookie, r, known)
		case known:
			table.remove(cookie)
			delete(want, cookie)
		default:
			r := table.add(cookie)
			if (r == nil) != (len(want) >= 3000) {
				t.Fatalf("step %d: add(%d) = %+v with %d records", step, cookie, r, len(want))
			}
			if r != nil {
				r.segments = uint32(step)
				want[cookie] = uint32(step)
			}
		}
		if table.count != len(want) {
			t.Fatalf("step %d: %d records, want %d", step, table.count, len(want))
		}
	}
	seen := 0
	table.each(func(*record) { seen++ })
	if seen != len(want) {
		t.Errorf("each called with %d records, want %d", seen, len(want))
	}
	table.remove(9999) // which is not there
}

// A socket takes at most 100 bytes, with all that the table needs to find it.
func TestTableMemory(t *testing.T) {
	table := newTable(defaultMax)
	for cookie := uint64(1); table.add(cookie) != nil; cookie++ {
	}
	bytes := len(table.chunks)*chunk*int(unsafe.Sizeof(record{})) + 4*len(table.index) + 4*cap(table.free)
	if each := float64(bytes) / defaultMax; each > 100 {
		t.Errorf("%.0f bytes a socket, want at most 100", each)
	} else {
		t.Logf("%.1f bytes a socket", each)
	}
}

// What is kept of the counters has the same order as they.
func TestWhy(t *testing.T) {
	for _, row := range []struct{ risen, want counts }{
		{counts{}, counts{}},
		{counts{estabResets: 9}, counts{estabResets: 2}},
		{counts{estabResets: 3, abortOnClose: 3, resetsSent: 8}, counts{estabResets: 1, abortOnClose: 1, resetsSent: 1}},
		{counts{estabResets: 4, abortOnData: 3}, counts{estabResets: 2, abortOnData: 1}},
		{counts{estabResets: 7, abortOnData: 3, abortOnClose: 4},
			counts{estabResets: 2, abortOnData: 1, abortOnClose: 1}},
		{counts{estabResets: 8, abortOnData: 3, abortOnClose: 4},
			counts{estabResets: 3, abortOnData: 1, abortOnClose: 1}},
		{counts{abortOnTimeout: 5}, counts{abortOnTimeout: 1}},
	} {
		if got := row.risen.why().counts(); got != row.want {
			t.Errorf("%+v: %+v, want %+v", row.risen, got, row.want)
		}
	}
}

// The ports of clients are those of the namespace, and by default the kernel's.
func TestLeastPort(t *testing.T) {
	for ports, want := range map[string]uint16{"10000\t65000\n": 10000, "": 32768, "x 1": 32768, "70000 70001": 32768} {
		if got := leastPort(ports); got != want {
			t.Errorf("leastPort(%q) = %d, want %d", ports, got, want)
		}
	}
}

// A connection whose port is not known is a target's where nothing else is on the host.
func TestOfHost(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)
	t0 := newTargets([]Network{{Name: "pool", Prefix: netip.MustParsePrefix("10.8.0.0/16")}})
	for target, address := range map[string]string{"alone": "192.0.2.1:443", "shared": "192.0.2.2:443",
		"with shared": "192.0.2.2:443", "one port": "192.0.2.3:80", "other port": "192.0.2.3:443", "here": "127.0.0.1:80"} {
		t0.learn(target, []netip.AddrPort{netip.MustParseAddrPort(address)}, at)
	}
	client := netip.MustParseAddrPort("10.0.0.7:" + strconv.Itoa(int(t0.leastPort)))
	for _, row := range []struct {
		name, host string
		want       int
	}{
		{"one target", "192.0.2.1", 1}, {"two of one port", "192.0.2.2", 2}, {"two ports", "192.0.2.3", 0},
		{"loopback", "127.0.0.1", 0}, {"a network", "10.8.3.4", 1}, {"nobody's", "192.0.2.9", 0},
	} {
		if got := t0.ofHost(client, netip.MustParseAddr(row.host)); len(got) != row.want {
			t.Errorf("%s: %d targets, want %d", row.name, len(got), row.want)
		}
	}
}

package target

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/claims"
	"errno_exporter/prober/result"
)

// Parts that run into each other are different targets, and a key's size is that of a hash.
func TestMemoryKeys(t *testing.T) {
	rows := []Identity{
		{}, {Name: "a"}, {Module: "a"}, {Target: "a"}, {Host: "a"},
		{Module: "ab", Target: "c"}, {Module: "a", Target: "bc"}, {Target: "abc"},
		{Module: "a", Target: "b", Host: "c"}, {Name: "a", Module: "b", Target: "c"},
		{Target: strings.Repeat("x", 60_000)}, {Target: strings.Repeat("x", 60_001)}, {Module: "a\x00", Target: "b"},
		{Module: "a", Target: "\x00b"},
	}
	seen := map[Key]Identity{}
	for _, row := range rows {
		if other, known := seen[row.Key()]; known {
			t.Errorf("%.50v and %.50v have the same key", row, other)
		}
		seen[row.Key()] = row
	}
	if size := len(Key{}); size != 32 {
		t.Errorf("a key takes %d bytes, want 32", size)
	}
}

// The longest unused goes first, and comes back with nothing counted.
func TestMemory(t *testing.T) {
	key := func(name string) Key { return Identity{Module: "api", Target: name}.Key() }
	m := NewRemembered(2)
	a, b := m.Totals(key("a")), m.Totals(key("b"))
	if m.Totals(key("a")) != a {
		t.Errorf("a has other totals than before")
	}
	m.Totals(key("c")) // pushes b out, which was used before a
	if m.Totals(key("a")) != a {
		t.Errorf("a was used after b and is gone")
	}
	if m.Totals(key("b")) == b {
		t.Errorf("b is still there, with a and c: 3 of at most 2")
	}
	if m.Len() != 2 {
		t.Errorf("len() = %d, want 2", m.Len())
	}
	if m.Totals(Identity{Module: "other", Target: "b"}.Key()) == m.Totals(key("b")) {
		t.Errorf("b has the same totals by module api and by module other")
	}
}

// Targets that take more than others leave room for fewer, and what is accounted is what they take.
func TestMemoryIsCharged(t *testing.T) {
	failed := func(i int, phase result.Phase, trace string) *result.Result {
		f := &result.Failure{Phase: phase, Reason: result.Reasons[i%len(result.Reasons)].Reason, Origin: result.Peer}
		span := result.Span{Phase: phase, Duration: time.Duration(1+i*i) * 10 * time.Microsecond, Failed: i%2 == 0}
		return &result.Result{TraceID: trace, Failure: f,
			Attempts: []result.Attempt{{Failure: f, Hops: []result.Hop{{Spans: []result.Span{span}}}}}}
	}
	for _, row := range []struct {
		name    string
		probes  int // of each target
		trace   bool
		targets int // at least so many are remembered, of 2,000
	}{
		{"one probe", 1, false, 2000},
		{"ten probes", 10, false, 500},
		{"a thousand probes", 1000, false, 50},
		{"a thousand probes with trace IDs", 1000, true, 45},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := claims.LiveHeap()
			m := NewRemembered(2000)
			for n := range 2000 / max(1, row.probes/100) {
				key := Identity{Target: strconv.Itoa(n)}.Key()
				for i := range row.probes {
					trace := ""
					if row.trace {
						trace = fmt.Sprintf("%032x", i)
					}
					m.Totals(key).Add(failed(i, result.Phases[i%len(result.Phases)].Phase, trace), ulid.ULID{15: 1})
				}
				m.Totals(key)
			}
			took := claims.LiveHeap() - before
			if n := m.Len(); took > int64(m.bytes)*3/2 || m.bytes > m.most || n < row.targets {
				t.Errorf("%d targets take %d bytes, %d were accounted, of at most %d; want %d targets or more, and "+
					"at most 1.5 times what was accounted",
					n, took, m.bytes, m.most, row.targets)
			}
			t.Logf("%d targets: %d bytes live, %d accounted", m.Len(), took, m.bytes)
			runtime.KeepAlive(m)
		})
	}
}

// The targets that are remembered by default take the bytes that the document says.
func TestMemoryBound(t *testing.T) {
	const targets, most = 10_000, 32 << 20
	m := NewRemembered(targets)
	if m.limit != targets || m.most > most || m.most < most-usualTotals*targets/1000 {
		t.Errorf("%d targets are remembered in %d bytes, want %d in %d", m.limit, m.most, targets, most)
	}
	claims.Prove(t, "targets of `/probe` whose counters are kept", targets, len(Key{}), most)
}

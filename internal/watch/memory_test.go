package watch

import (
	"strings"
	"testing"
)

// Parts that run into each other are different targets, and a key's size is that of a hash.
func TestMemoryKeys(t *testing.T) {
	rows := []probed{
		{}, {name: "a"}, {module: "a"}, {target: "a"}, {host: "a"},
		{module: "ab", target: "c"}, {module: "a", target: "bc"}, {target: "abc"}, {module: "a", target: "b", host: "c"}, {name: "a", module: "b", target: "c"},
		{target: strings.Repeat("x", 60_000)}, {target: strings.Repeat("x", 60_001)}, {module: "a\x00", target: "b"}, {module: "a", target: "\x00b"},
	}
	seen := map[memoryKey]probed{}
	for _, row := range rows {
		if other, known := seen[row.key()]; known {
			t.Errorf("%.50v and %.50v have the same key", row, other)
		}
		seen[row.key()] = row
	}
	if size := len(memoryKey{}); size != 32 {
		t.Errorf("a key takes %d bytes, want 32", size)
	}
}

// The longest unused goes first, and comes back with nothing counted.
func TestMemory(t *testing.T) {
	key := func(name string) memoryKey { return probed{module: "api", target: name}.key() }
	m := newMemory(2)
	a, b := m.totals(key("a")), m.totals(key("b"))
	if m.totals(key("a")) != a {
		t.Errorf("a has other totals than before")
	}
	m.totals(key("c")) // pushes b out, which was used before a
	if m.totals(key("a")) != a {
		t.Errorf("a was used after b and is gone")
	}
	if m.totals(key("b")) == b {
		t.Errorf("b is still there, with a and c: 3 of at most 2")
	}
	if m.len() != 2 {
		t.Errorf("len() = %d, want 2", m.len())
	}
	if m.totals(probed{module: "other", target: "b"}.key()) == m.totals(key("b")) {
		t.Errorf("b has the same totals by module api and by module other")
	}
}

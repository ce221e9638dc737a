package watch

import "testing"

// The longest unused goes first, and comes back with nothing counted.
func TestMemory(t *testing.T) {
	key := func(name string) memoryKey { return memoryKey{module: "api", target: name} }
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
	if m.totals(memoryKey{module: "other", target: "b"}) == m.totals(key("b")) {
		t.Errorf("b has the same totals by module api and by module other")
	}
}

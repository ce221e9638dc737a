package egress

import (
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// silent is an address that answers nothing: its accept queue is full.
func silent(t *testing.T) string {
	return strings.Trim(strings.TrimPrefix(faultlab.NeverAccepts(t), "http://"), "/")
}

// Which reference targets decide.
func TestReferencesDecide(t *testing.T) {
	closed, open := "127.0.0.1:1", faultlab.DNSSilent(t) // which listens over TCP, too
	for _, row := range []struct {
		name    string
		targets []*Address
		up      bool
	}{
		{"a network accepts", []*Address{{Name: "a", Address: open, Kind: "network"}}, true},
		{"a network refuses", []*Address{{Name: "a", Address: closed, Kind: "network"}}, true},
		{"the gateway alone", []*Address{{Name: "a", Address: closed, Kind: "gateway"}}, true},
		{"the gateway, and no network", []*Address{{Name: "a", Address: closed, Kind: "gateway"},
			{Name: "b", Address: silent(t), Kind: "network"}}, false},
		{"one network of two", []*Address{{Name: "a", Address: closed, Kind: "network"},
			{Name: "b", Address: silent(t), Kind: "network"}}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var c References
			c.Apply(row.targets)
			c.Check()
			if e := c.State(); !e.Known || e.Up != row.up {
				t.Errorf("egress %+v, want up %t", e, row.up)
			}
		})
	}
}

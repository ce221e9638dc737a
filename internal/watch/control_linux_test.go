package watch

import (
	"net"
	"syscall"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// silent is an address that answers nothing: its accept queue holds one connection, and is full.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), 0) })
	}
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return l.Addr().String()
}

// A control target that is silent keeps no scrape beyond its time, and is reported as such by the next.
func TestSilentControlTarget(t *testing.T) {
	c := parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy)))
	c.ControlTargets = []*config.ControlTarget{{Name: "far", Address: silent(t), Kind: "network"}}
	b := newTested(t, c)
	defer b.Close()
	b.Scrape(t.Context(), 100*time.Millisecond)
	if e := b.Egress(); e.Known { // the control target stays silent for controlTimeout
		t.Errorf("the scrape waited for the control target: egress %+v", e)
	}
	b.controls.look() // waits for the look that is under way
	if e := b.Egress(); !e.Known || e.Up || len(e.Controls) != 1 || e.Controls[0].Up {
		t.Errorf("egress %+v, want it known and down", e)
	}
}

// What decides whether egress is up.
func TestEgressUp(t *testing.T) {
	closed, open := "127.0.0.1:1", faultlab.DNSSilent(t) // which listens over TCP, too
	for _, row := range []struct {
		name     string
		controls []*config.ControlTarget
		up       bool
	}{
		{"a network accepts", []*config.ControlTarget{{Name: "a", Address: open, Kind: "network"}}, true},
		{"a network refuses", []*config.ControlTarget{{Name: "a", Address: closed, Kind: "network"}}, true},
		{"the gateway alone", []*config.ControlTarget{{Name: "a", Address: closed, Kind: "gateway"}}, true},
		{"the gateway, and no network", []*config.ControlTarget{{Name: "a", Address: closed, Kind: "gateway"}, {Name: "b", Address: silent(t), Kind: "network"}}, false},
		{"one network of two", []*config.ControlTarget{{Name: "a", Address: closed, Kind: "network"}, {Name: "b", Address: silent(t), Kind: "network"}}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var c controls
			c.apply(row.controls)
			c.look()
			if e := c.state(); !e.Known || e.Up != row.up {
				t.Errorf("egress %+v, want up %t", e, row.up)
			}
		})
	}
}

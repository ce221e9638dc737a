package dns

import (
	"errors"
	"net"
	"testing"
	"time"

	"errno_exporter/guard"
)

// panics is a connection that panics where it is used.
type panics struct{ net.Conn }

func (panics) Read([]byte) (int, error) { panic("boom") }

func (panics) Write([]byte) (int, error) { panic("boom") }

// What Go's resolver calls in goroutines of its own returns a panic as its error, and reports it.
func TestPanicUnderResolver(t *testing.T) {
	for name, use := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
	} {
		var reported *guard.Panic
		l := &lookup{start: time.Now(), caught: func(p *guard.Panic) { reported = p }}
		err := use(&recorder{Conn: panics{}, lookup: l})
		if p, ok := errors.AsType[*guard.Panic](err); !ok || p.Value != "boom" || reported != p {
			t.Errorf("%s: error %v, reported %v, want the panic", name, err, reported)
		}
	}
}

package socket

import (
	"errors"
	"net"
	"testing"
	"time"

	"errno_exporter/guard"
)

// broken panics where a connection is used.
type broken struct{ net.Conn }

func (broken) Read([]byte) (int, error)  { panic("boom") }
func (broken) Write([]byte) (int, error) { panic("boom") }
func (broken) LocalAddr() net.Addr       { return nil }
func (broken) RemoteAddr() net.Addr      { return nil }
func (broken) Close() error              { return nil }

// What goroutines of a library call of ours returns a panic as its error, and holds no lock after it.
func TestCallbacksAreGuarded(t *testing.T) {
	r := NewRecorder(broken{}, time.Now())
	for name, call := range map[string]func() error{
		"read":  func() error { _, err := r.Read(make([]byte, 1)); return err },
		"write": func() error { _, err := r.Write([]byte("x")); return err },
	} {
		if p, ok := errors.AsType[*guard.Panic](call()); !ok || p.Value != "boom" {
			t.Errorf("%s: error %v, want the panic", name, p)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

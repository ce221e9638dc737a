package prober

import (
	"context"
	"errors"
	"net"
	"testing"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
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
	a := New(Options{}).newAttempt(context.Background(), Target{}, module.New("m"), "")
	r := newRecorder(broken{}, a.start)
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

// A panic that comes when the attempt is over is reported to the Prober's owner.
func TestLatePanicIsReported(t *testing.T) {
	var reported *guard.Panic
	a := New(Options{Panicked: func(p *guard.Panic) { reported = p }}).newAttempt(context.Background(), Target{},
		module.New("m"), "")
	a.guarded(func() {})
	if a.caught(&guard.Panic{Value: "late"}); reported == nil || reported.Value != "late" || a.record.Failure != nil {
		t.Errorf("reported %v, failure %v, want the panic reported and no failure", reported, a.record.Failure)
	}
}

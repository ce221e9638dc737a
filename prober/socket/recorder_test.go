package socket

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/result"
)

// After the first failure every call returns its error, whatever the kernel reports by then; a FIN is an error for a
// write, too.
func TestFirstError(t *testing.T) {
	for _, row := range []struct {
		name  string
		end   func(*net.TCPConn) error
		errno syscall.Errno
		eof   bool
		read  error // of each read
		write error // of each write
	}{
		{"a reset", func(peer *net.TCPConn) error { return errors.Join(peer.SetLinger(0), peer.Close()) },
			syscall.ECONNRESET, false, syscall.ECONNRESET, syscall.ECONNRESET},
		{"a FIN", (*net.TCPConn).Close, 0, true, io.EOF, io.ErrUnexpectedEOF},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, peer := connection(t)
			if _, err := peer.Write([]byte("four")); err != nil {
				t.Fatal(err)
			}
			if n, err := r.Read(make([]byte, 100)); n != 4 || err != nil {
				t.Fatalf("read %d bytes, %v", n, err)
			}
			if err := row.end(peer); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := r.Read(make([]byte, 100)); !errors.Is(err, row.read) {
					t.Errorf("read: %v, want %v", err, row.read)
				}
				if _, err := r.Write([]byte("x")); !errors.Is(err, row.write) {
					t.Errorf("write: %v, want %v", err, row.write)
				}
			}
			w := r.Wire()
			if c := w.Cause; c == nil || c.Op != result.OpRead || c.Errno != row.errno || c.EOF != row.eof {
				t.Errorf("cause %+v, want a read with errno %v, EOF %t", w.Cause, row.errno, row.eof)
			}
			if w.BytesReceived != 4 || w.BytesSent != 0 {
				t.Errorf("received %d, sent %d bytes, want 4 and none", w.BytesReceived, w.BytesSent)
			}
		})
	}
}

// What this side ends is no cause.
func TestOwnEndIsNoCause(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(*Recorder)
	}{{"the deadline", (*Recorder).Interrupt}, {"the close", func(r *Recorder) { _ = r.Close() }}} {
		r, _ := connection(t)
		row.end(r)
		if _, err := r.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: read without error", row.name)
		}
		if w := r.Wire(); w.Cause != nil {
			t.Errorf("%s: cause %+v, want none", row.name, w.Cause)
		}
	}
}

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

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"errno_exporter/prober/result"
)

// pipe returns a recorder over a net.Pipe, whose times are those of a synctest bubble, and the other end.
func pipe(t *testing.T) (*Recorder, net.Conn) {
	ours, theirs := net.Pipe()
	r := NewRecorder(ours, time.Now())
	t.Cleanup(func() { _, _ = r.Close(), theirs.Close() })
	return r, theirs
}

// A failed write waits for the response: until it was read, the connection is closed, or writeHold is over.
func TestHeldWrites(t *testing.T) {
	for _, row := range []struct {
		name  string
		begin func(*Recorder)
		end   func(*Recorder)
		want  time.Duration // of the write
	}{
		{"not held", func(*Recorder) {}, func(*Recorder) {}, 0},
		{"released before", func(r *Recorder) { r.HoldWrites(); r.ReleaseWrites() }, func(*Recorder) {}, 0},
		{"held", (*Recorder).HoldWrites, func(*Recorder) {}, writeHold},
		{"released", (*Recorder).HoldWrites, (*Recorder).ReleaseWrites, writeHold / 2},
		{"closed", (*Recorder).HoldWrites, func(r *Recorder) { _ = r.Close() }, writeHold / 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, peer := pipe(t)
				row.begin(r)
				_ = peer.Close()
				began := time.Now()
				time.AfterFunc(writeHold/2, func() { row.end(r) })
				if _, err := r.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("write: %v, want %v", err, io.ErrClosedPipe)
				}
				if took := time.Since(began); took != row.want {
					t.Errorf("the write returned after %s, want %s", took, row.want)
				}
				time.Sleep(writeHold)
			})
		})
	}
}

// Our deadline ends the read in progress, and nothing extends it.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := pipe(t)
		time.AfterFunc(time.Second, r.Interrupt)
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want the deadline", err)
		}
		if at, ended := r.InterruptedAt(), r.EndedAt(); at != time.Second || ended != time.Second {
			t.Errorf("interrupted after %s, ended after %s, want a second", at, ended)
		}
		for name, set := range map[string]func(time.Time) error{"SetDeadline": r.SetDeadline,
			"SetReadDeadline": r.SetReadDeadline, "SetWriteDeadline": r.SetWriteDeadline} {
			if err := set(time.Now().Add(time.Hour)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(r.Start()) >
				time.Second {
				t.Errorf("after %s: read: %v after %s, want the deadline at once", name, err, time.Since(r.Start()))
			}
		}
	})
}

// GiveUp notes our deadline also on a connection that was closed before; Interrupt does not.
func TestGiveUp(t *testing.T) {
	for _, row := range []struct {
		name string
		call func(*Recorder)
		want time.Duration
	}{{"Interrupt", (*Recorder).Interrupt, 0}, {"GiveUp", (*Recorder).GiveUp, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := pipe(t)
			_ = r.Close()
			time.Sleep(time.Second)
			row.call(r)
			if got := r.InterruptedAt(); got != row.want {
				t.Errorf("%s: interrupted after %s, want %s", row.name, got, row.want)
			}
		})
	}
}

// Settle reports whether all that was written before the close was accepted, once no write is in progress.
func TestSettle(t *testing.T) {
	for _, row := range []struct {
		name  string
		reads int // by the peer, of one byte each
		want  bool
	}{{"nothing accepted", 0, false}, {"one write accepted, one cut", 1, false}, {"all accepted", 2, true}} {
		synctest.Test(t, func(t *testing.T) {
			r, peer := pipe(t)
			time.Sleep(time.Second)
			go func() {
				for range 2 {
					_, _ = r.Write([]byte("x"))
				}
			}()
			for range row.reads {
				_, _ = peer.Read(make([]byte, 1))
			}
			synctest.Wait()
			_ = r.Close()
			if got := r.Settle(); got != row.want {
				t.Errorf("%s: %t, want %t", row.name, got, row.want)
			}
		})
	}
}

// Another exchange on the same connection begins with nothing but its addresses.
func TestRenew(t *testing.T) {
	r, peer := connection(t)
	before := r.Wire()
	if _, err := r.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	r.Renew()
	w := r.Wire()
	read, accepted := r.Times()
	first, _ := r.FirstWrite()
	if len(w.Events) != 0 || w.BytesSent != 0 || w.BytesReceived != 0 || w.Info != nil || read != 0 || accepted != 0 ||
		first != 0 {
		t.Errorf("%+v, last read %s, accepted %s, first write %s, want nothing", w, read, accepted, first)
	}
	if w.Local != before.Local || w.Remote != before.Remote || w.Established != before.Established || r.Written() != 4 {
		t.Errorf("%+v, %d bytes written, want the ends and times of %+v, and 4 bytes", w, r.Written(), before)
	}
}

// A close is recorded once.
func TestCloseTwice(t *testing.T) {
	r, _ := connection(t)
	if r.Closed() {
		t.Error("closed before the close")
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	events := r.Wire().Events
	if last := events[len(events)-1]; len(events) != 2 || last.Op != result.OpClose || !r.Closed() {
		t.Errorf("events %+v, want connect and close", events)
	}
}

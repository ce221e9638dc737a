package socket

import (
	"net"
	"testing"
	"time"
)

// What is read arrived between the last look that found nothing and the time that the kernel reports, however late it
// is read and whatever arrived behind it.
func TestArrivalDoubt(t *testing.T) {
	write := func(t *testing.T, peer *net.TCPConn) {
		t.Helper()
		if _, err := peer.Write([]byte("some")); err != nil {
			t.Fatal(err)
		}
	}
	arrive := func(t *testing.T, l *Lookout, w *waiting) { // until a look finds it
		for arrived := false; !arrived; {
			look(l)
			l.mu.Lock()
			arrived = w.arrived
			l.mu.Unlock()
		}
	}
	const later = 20 * time.Millisecond // on the wire
	for _, row := range []struct {
		name   string
		watch  bool
		before int  // looks before anything arrives
		found  bool // a look finds what arrives
		behind bool // more arrives later
		first  bool // what is read first is a part of it
	}{
		{"nothing looks", false, 0, false, true, false},
		{"no look before", true, 0, true, true, false},
		{"a look before", true, 1, true, true, false},
		{"looks before, none after", true, 3, false, true, false},
		{"nothing behind it", true, 1, true, false, false},
		{"read in two pieces", true, 1, true, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, peer := connection(t)
			l := NewLookout()
			if row.watch {
				r.WatchedBy(l)
			}
			var looked time.Duration
			for range row.before {
				looked = time.Since(r.start)
				look(l)
			}
			write(t, peer)
			written := time.Since(r.start)
			if row.found {
				arrive(t, l, r.stamps.waiting)
			}
			if row.behind {
				time.Sleep(later)
				write(t, peer)
			}
			look(l)
			into := make([]byte, 8)
			if row.first {
				into = into[:2]
			}
			for range 2 { // of two segments or pieces, where there are two
				if _, err := r.Read(into); err != nil {
					t.Fatal(err)
				}
				read, _ := r.Times()
				doubt, _ := r.Doubts()
				if earliest := read - doubt; earliest > written || earliest < looked || doubt < 0 {
					t.Errorf("it arrived after %s, by at most %s less: want %s within, and at most the look at %s", read, doubt,
						written, looked)
				}
				if !row.first {
					break
				}
			}
		})
	}
}

// look looks, however recently that was done.
func look(l *Lookout) {
	l.looked.Store(int64(-time.Hour))
	l.Look()
}

// A timestamp of what was sent is no arrival; what was read is none of the next one; a closed connection is forgotten.
func TestLookout(t *testing.T) {
	r, peer := connection(t)
	l := NewLookout()
	r.WatchedBy(l)
	r.StampRequest()
	if _, err := r.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	look(l)
	if got := l.emptySince(r.stamps.waiting); !got.After(before) {
		t.Errorf("with a timestamp to read: empty until %s, want the look after %s", got, before)
	}
	if r.SentAt(r.Written()) == 0 {
		t.Error("there was no timestamp to read")
	}
	answered := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 8))
		answered <- err
	}()
	if _, err := peer.Write([]byte("some")); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	look(l) // it finds nothing
	if _, err := peer.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	written := time.Since(r.start)
	if _, err := r.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	read, _ := r.Times()
	if doubt, _ := r.Doubts(); read-doubt > written || read-doubt <= before.Sub(r.start) {
		t.Errorf("the second arrival: after %s, by at most %s less, want between the look before it and %s", read, doubt,
			written)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(l.waiting); n != 0 {
		t.Errorf("%d connections are waited for after the close, want none", n)
	}
}

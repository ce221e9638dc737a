package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Segments with less than the minimum TTL are dropped: those of this host have 64.
func TestMinTTL(t *testing.T) {
	for _, row := range []struct {
		name, address string
		ttl           uint8
		works         bool
	}{
		{"IPv4, none", "127.0.0.1:0", 0, true},
		{"IPv4, as many", "127.0.0.1:0", 64, true},
		{"IPv4, more", "127.0.0.1:0", 65, false},
		{"IPv6, none", "[::1]:0", 0, true},
		{"IPv6, as many", "[::1]:0", 64, true},
		{"IPv6, more", "[::1]:0", 65, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", row.address)
			if err != nil {
				t.Skipf("the address family is not available: %v", err)
			}
			echoes := echo(l)
			defer echoes()
			connect := func(minTTL uint8) (*Recorder, error) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r, _, err := Connect(ctx, AddrPort(l.Addr()), Options{Start: time.Now(), MinTTL: minTTL})
				return r, err
			}
			r, err := connect(row.ttl)
			if works := err == nil; works != row.works {
				t.Errorf("connecting works: %v, want %v (%v)", works, row.works, err)
			}
			if err == nil {
				_ = r.Close()
			}
			if r, err = connect(0); err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if row.ttl > 0 {
				if err := r.SetMinTTL(row.ttl); err != nil {
					t.Fatal(err)
				}
			}
			_ = r.SetDeadline(time.Now().Add(time.Second)) // fails only on a closed connection
			_, _ = r.Write([]byte("x"))                    // what fails shows in the answer
			if n, err := r.Read(make([]byte, 1)); (n == 1) != row.works {
				t.Errorf("an answer arrives: %v, want %v (%v)", n == 1, row.works, err)
			}
		})
	}
}

// A connection whose answers are dropped is aborted when it is closed: it would send its data again, for minutes.
func TestMinTTLAborts(t *testing.T) {
	for _, row := range []struct {
		name string
		ttl  uint8
		want error
	}{{"none", 0, nil}, {"more than this host's", 65, unix.ECONNRESET}} {
		for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(row.name+", "+address, func(t *testing.T) {
				t.Parallel()
				l, err := net.Listen("tcp", address)
				if err != nil {
					t.Skipf("the address family is not available: %v", err)
				}
				defer l.Close()
				r, _, err := Connect(t.Context(), AddrPort(l.Addr()), Options{Start: time.Now()})
				if err != nil {
					t.Fatal(err)
				}
				if row.ttl > 0 {
					if err := r.SetMinTTL(row.ttl); err != nil {
						t.Fatal(err)
					}
				}
				server, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				if _, err := r.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, server); !errors.Is(err, row.want) {
					t.Errorf("the server reads %v at the end, want %v", err, row.want)
				}
			})
		}
	}
}

// echo serves a listener until it is stopped.
func echo(l net.Listener) (stop func()) {
	var serving sync.WaitGroup
	accepted := make(chan net.Conn, 10)
	serving.Go(func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
			serving.Go(func() { _, _ = io.Copy(conn, conn) }) // until the connection is closed
		}
	})
	return func() {
		_ = l.Close()
		for conn := range accepted {
			_ = conn.Close()
		}
		serving.Wait()
	}
}

package socket

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKeepAliveLater: the kernel's keepalive is on once a connection is established for half a second, unless that was
// decided before.
func TestKeepAliveLater(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rows := []struct {
		name        string
		decide      func(*tcpConn) error
		first, last int // SO_KEEPALIVE at once, and after the half second
	}{
		{"left to itself", func(*tcpConn) error { return nil }, 0, 1},
		{"switched off", func(s *tcpConn) error { return s.SetKeepAlive(false) }, 0, 0},
		{"switched on", func(s *tcpConn) error { return s.SetKeepAlive(true) }, 1, 1},
		{"switched on and off", func(s *tcpConn) error {
			return errors.Join(s.SetKeepAlive(true),
				s.SetKeepAlive(false))
		}, 0, 0},
	}
	var sockets []*tcpConn
	for _, row := range rows {
		conn, err := dialPlain(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s := conn.(*tcpConn)
		if err := row.decide(s); err != nil {
			t.Fatal(err)
		}
		if got := keepAliveOf(t, s); got != row.first {
			t.Errorf("%s: SO_KEEPALIVE %d at once, want %d", row.name, got, row.first)
		}
		sockets = append(sockets, s)
	}
	<-time.After(keepAlive.Idle/2 + 200*time.Millisecond) // the half second itself
	for i, row := range rows {
		if got := keepAliveOf(t, sockets[i]); got != row.last {
			t.Errorf("%s: SO_KEEPALIVE %d after half a second, want %d", row.name, got, row.last)
		}
	}
}

func keepAliveOf(t *testing.T, s *tcpConn) int {
	t.Helper()
	var on int
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		on, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET,
			unix.SO_KEEPALIVE)
	})
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return on
}

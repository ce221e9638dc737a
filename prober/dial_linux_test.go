package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDialFailures: a dial that fails says what net.Dialer says.
func TestDialFailures(t *testing.T) {
	nobody := func(network, address string) netip.AddrPort {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return netip.MustParseAddrPort(l.Addr().String())
	}
	for _, row := range []struct {
		name    string
		network string
		to      netip.AddrPort
	}{
		{"refused", "tcp4", nobody("tcp4", "127.0.0.1:0")},
		{"refused, IPv6", "tcp6", nobody("tcp6", "[::1]:0")},
		{"an address on an interface that has none such", "tcp6", netip.MustParseAddrPort("[fe80::1%lo]:1")},
		{"an interface by its number", "tcp6", netip.MustParseAddrPort("[fe80::1%1]:1")},
		{"an address that nobody can have", "tcp4", netip.MustParseAddrPort("255.255.255.255:1")},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, theirs := new(net.Dialer).DialContext(ctx, row.network, row.to.String())
			d, err := dial(ctx, row.to, &wanted{network: row.network})
			if err == nil || theirs == nil || d.conn != nil {
				t.Fatalf("dialled %v: %v, net.Dialer: %v; want failures", d.conn, err, theirs)
			}
			if err.Error() != theirs.Error() {
				t.Errorf("%q, want net.Dialer's %q", err, theirs)
			}
		})
	}
}

// TestSocketErrors: a connection's errors are those of net.TCPConn.
func TestSocketErrors(t *testing.T) {
	for _, row := range []struct {
		name string
		peer func(*net.TCPConn)
		do   func(net.Conn) error
		is   error
	}{
		{"read after a reset", func(peer *net.TCPConn) { _ = peer.SetLinger(0); _ = peer.Close() }, read,
			unix.ECONNRESET},
		{"read after our close", leave, func(c net.Conn) error { _ = c.Close(); return read(c) }, net.ErrClosed},
		{"write after our close", leave, func(c net.Conn) error { _ = c.Close(); return write(c) }, net.ErrClosed},
		{"read after a deadline", leave, func(c net.Conn) error { _ = c.SetDeadline(time.Unix(1, 0)); return read(c) },
			os.ErrDeadlineExceeded},
		{"write after a deadline", leave, func(c net.Conn) error {
			_ = c.SetDeadline(time.Unix(1,
				0))
			return write(c)
		}, os.ErrDeadlineExceeded},
		{"a close while it is read", leave, func(c net.Conn) error {
			time.AfterFunc(20*time.Millisecond,
				func() { _ = c.Close() })
			return read(c)
		}, net.ErrClosed},
		{"a deadline after the " +
			"close", leave, func(c net.Conn) error { _ = c.Close(); return c.SetDeadline(time.Now()) }, net.ErrClosed},
		{"a second close", leave, func(c net.Conn) error { _ = c.Close(); return c.Close() }, net.ErrClosed},
	} {
		t.Run(row.name, func(t *testing.T) {
			theirs := outcomeOver(t, func(to string) (net.Conn, error) { return net.Dial("tcp", to) }, row.peer, row.do)
			for _, o := range []*net.OpError{theirs, outcomeOver(t, dialPlain, row.peer, row.do),
				outcomeOver(t, dialStamped, row.peer, row.do)} {
				if !errors.Is(o, row.is) || o.Net != "tcp" || o.Op != theirs.Op || o.Timeout() != theirs.Timeout() ||
					o.Addr == nil {
					t.Errorf("%#v, want %v of %s", o, row.is, theirs.Op)
				}
			}
		})
	}
}

// TestKeepAliveLater: the kernel asks after the peer once a connection has stood for half a second, unless that was
// decided before.
func TestKeepAliveLater(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rows := []struct {
		name        string
		decide      func(*descriptor) error
		first, last int // SO_KEEPALIVE at once, and after the half second
	}{
		{"left to itself", func(*descriptor) error { return nil }, 0, 1},
		{"switched off", func(s *descriptor) error { return s.SetKeepAlive(false) }, 0, 0},
		{"switched on", func(s *descriptor) error { return s.SetKeepAlive(true) }, 1, 1},
		{"switched on and off", func(s *descriptor) error {
			return errors.Join(s.SetKeepAlive(true),
				s.SetKeepAlive(false))
		}, 0, 0},
	}
	var sockets []*descriptor
	for _, row := range rows {
		conn, err := dialPlain(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s := conn.(*descriptor)
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

func keepAliveOf(t *testing.T, s *descriptor) int {
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

// outcomeOver is the error of something that is done with a connection, once its peer has done its part.
func outcomeOver(t *testing.T, dialling func(to string) (net.Conn, error), peer func(*net.TCPConn),
	do func(net.Conn) error) *net.OpError {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialling(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	peer(accepted.(*net.TCPConn))
	failed, ok := errors.AsType[*net.OpError](do(conn))
	if !ok {
		t.Fatal("no *net.OpError")
	}
	return failed
}

// dialPlain makes a connection that is read without the kernel's times.
func dialPlain(to string) (net.Conn, error) {
	d, err := dial(context.Background(), netip.MustParseAddrPort(to), &wanted{network: "tcp4"})
	return d.conn, err
}

// dialStamped makes one that is read with them.
func dialStamped(to string) (net.Conn, error) {
	d, err := dial(context.Background(), netip.MustParseAddrPort(to), &wanted{network: "tcp4"})
	return stampedConn{d.conn, d.stamps}, err
}

type stampedConn struct {
	net.Conn
	stamps *stamps
}

func (c stampedConn) Read(p []byte) (int, error) {
	n, _, err := c.stamps.read(p)
	return n, err
}

func leave(*net.TCPConn) {}

func read(c net.Conn) error  { _, err := c.Read(make([]byte, 10)); return err }
func write(c net.Conn) error { _, err := c.Write([]byte("GET")); return err }

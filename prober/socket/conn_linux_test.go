package socket

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
	d, err := dial(context.Background(), netip.MustParseAddrPort(to), &Options{network: "tcp4"})
	return d.conn, err
}

// dialStamped makes one that is read with them.
func dialStamped(to string) (net.Conn, error) {
	d, err := dial(context.Background(), netip.MustParseAddrPort(to), &Options{network: "tcp4"})
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

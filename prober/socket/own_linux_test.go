package socket

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// cookieOf is the kernel's cookie of a connection.
func cookieOf(t *testing.T, c syscall.Conn) uint64 {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var cookie uint64
	failed := raw.Control(func(fd uintptr) {
		cookie, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
	})
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	return cookie
}

// A connection of ours is known once that is switched on, and one of somebody else never is.
func TestOwnSockets(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test has ended
	to := netip.MustParseAddrPort(l.Addr().String())
	own := new(Own)
	for _, row := range []struct {
		name string
		own  *Own
		on   bool
	}{{"nobody wants to know", nil, false}, {"off", own, false}, {"on", own, true}} {
		if row.on {
			own.SwitchOn()
		}
		r, _, err := Connect(t.Context(), to, Options{Start: time.Now(), Own: row.own})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := own.Has(cookieOf(t, r.Conn.(syscall.Conn))); got != row.on {
			t.Errorf("%s: Has = %t, want %t", row.name, got, row.on)
		}
	}
	other, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if own.Has(cookieOf(t, other.(syscall.Conn))) {
		t.Error("Has = true of another's connection")
	}
}

// What nobody asks about is forgotten, and takes no memory for ever.
func TestOwnSocketsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var own Own
		own.note(1)
		own.note(2)
		for cookie := uint64(3); cookie < 10; cookie++ {
			time.Sleep(ownAge * 2 / 3)
			own.note(cookie)
			if !own.Has(1) {
				t.Fatalf("a connection that is asked about is forgotten after %d notes", cookie)
			}
		}
		if own.Has(2) {
			t.Error("a connection that nobody asks about is known for ever")
		}
		if n := len(own.recent) + len(own.earlier); n > 6 {
			t.Errorf("%d cookies are kept, want those of two generations", n)
		}
	})
}

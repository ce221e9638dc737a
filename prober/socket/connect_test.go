package socket

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// listen returns a listener on loopback, and its address.
func listen(t *testing.T) (*net.TCPListener, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test may have closed it
	return l.(*net.TCPListener), AddrPort(l.Addr())
}

// connection returns a recorder and the other end of its connection.
func connection(t *testing.T) (*Recorder, *net.TCPConn) {
	t.Helper()
	l, addr := listen(t)
	r, _, err := Connect(t.Context(), addr, Options{Start: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	peer, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return r, peer
}

// What is recorded of a connection that is established.
func TestConnect(t *testing.T) {
	r, peer := connection(t)
	w := r.Wire()
	if w.Local != AddrPort(peer.RemoteAddr()) || w.Remote != AddrPort(peer.LocalAddr()) {
		t.Errorf("from %v to %v, the peer's ends are %v and %v", w.Local, w.Remote, peer.RemoteAddr(), peer.LocalAddr())
	}
	established, called := r.Established()
	if established <= 0 || called >= established {
		t.Errorf("established after %s, connect() called after %s", established, called)
	}
	if len(w.Events) != 1 || w.Events[0].Op != result.OpConnect || w.Events[0].End != established ||
		w.Events[0].Err != nil {
		t.Errorf("events %+v, want one connect that ended after %s", w.Events, established)
	}
}

// What is recorded of a connection that is not.
func TestConnectFails(t *testing.T) {
	_, open := listen(t)
	l, closed := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(closed.Addr().As16()), closed.Port())
	for _, row := range []struct {
		name   string
		to     netip.AddrPort
		source netip.Addr
		errno  syscall.Errno
	}{
		{"refused", closed, netip.Addr{}, syscall.ECONNREFUSED},
		{"refused, IPv4 mapped into IPv6", mapped, netip.Addr{}, syscall.ECONNREFUSED},
		{"a source of the other family", open, netip.IPv6Loopback(), 0},
	} {
		r, w, err := Connect(t.Context(), row.to, Options{Start: time.Now(), Source: row.source})
		if r != nil || err == nil || w == nil {
			t.Fatalf("%s: recorder %v, wire %v, error %v", row.name, r, w, err)
		}
		want := netip.AddrPortFrom(row.to.Addr().Unmap(), row.to.Port())
		if len(w.Events) != 1 || w.Events[0].Op != result.OpConnect || w.Events[0].Errno != row.errno ||
			w.Events[0].Err != err || w.Remote != want {
			t.Errorf("%s: %+v, want one connect to %v with errno %v", row.name, w, want, row.errno)
		}
	}
}

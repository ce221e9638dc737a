package observe

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/internal/reset"
	"errno_exporter/prober/result"
)

// The kernel lets exactly the sockets pass that meet a condition, of both protocols, however many conditions there are.
func TestConditions(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{})
	client, _ := s.connect()
	own, peer := addressOf(client.LocalAddr()), s.address()
	other := netip.MustParseAddrPort("[2001:db8::1]:443")
	host := func(a netip.AddrPort) condition {
		return condition{netip.PrefixFrom(a.Addr(), a.Addr().BitLen()), a.Port()}
	}
	many := make([]condition, maxConditions-1)
	for i := range many {
		many[i] = host(other)
	}
	for _, row := range []struct {
		name       string
		conditions []condition
		want       int
	}{
		{"the address", []condition{host(peer)}, 1},
		{"another port", []condition{host(netip.AddrPortFrom(peer.Addr(), 1))}, 0},
		{"another address", []condition{host(netip.AddrPortFrom(own.Addr(), peer.Port()))}, 0},
		{"IPv6", []condition{host(other)}, 0},
		{"the second of two", []condition{host(other), host(peer)}, 1},
		{"the first of two", []condition{host(peer), host(other)}, 1},
		{"its network", []condition{{network: netip.MustParsePrefix("10.9.3.0/24")}}, 1},
		{"its network and port", []condition{{network: netip.MustParsePrefix("10.8.0.0/15"), port: peer.Port()}}, 1},
		{"another network", []condition{{network: netip.MustParsePrefix("10.8.0.0/16")}}, 0},
		{"the last of as many as there may be", append(many, host(peer)), 1},
		{"too many, which are not filtered here", append(many, host(other), host(other)), 1},
	} {
		for kind, request := range map[string][]byte{"one family": dumpRequest(familyIPv4, row.conditions),
			"any family": anyRequest(row.conditions)} {
			found := 0
			err := s.net.Inside(netlab.C, func() error {
				n, err := openNetlink()
				if err != nil {
					return err
				}
				defer n.close()
				return n.ask(request, func([]byte) { found++ })
			})
			if err != nil || found != row.want {
				t.Errorf("%s: %s: %d sockets, error %v; want %d", row.name, kind, found, err, row.want)
			}
		}
	}
}

// IPv4 by an IPv6 socket is IPv4.
func TestMappedAddress(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond})
	peer := s.address()
	err := s.net.Inside(netlab.C, func() error {
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		err = unix.Connect(fd, &unix.SockaddrInet6{Port: int(peer.Port()), Addr: peer.Addr().As16()})
		s.awaitState("established")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if e := s.end(); e.Remote != peer || e.How != FINSent || !e.Local.Addr().Is4() {
		t.Errorf("end = %+v, want one by this side's FIN, of %s", e, peer)
	}
}

// The exporter's own connections do not count, also while they are in TIME_WAIT.
func TestOwnSockets(t *testing.T) {
	needNamespaces(t)
	var own sync.Map
	s := newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond, Own: func(cookie uint64) bool {
		_, is := own.Load(cookie)
		return is
	}})
	peer := s.address()
	var fd int
	err := s.net.Inside(netlab.C, func() (err error) {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			return err
		}
		own.Store(cookie, true)
		return unix.Connect(fd, &unix.SockaddrInet4{Port: int(peer.Port()), Addr: peer.Addr().As4()})
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := s.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.awaitNothing("while it is established")
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	s.closes(server.(*net.TCPConn))
	s.awaitNothing("while it is in TIME_WAIT")
	other, _ := s.connect()
	s.closes(other)
	if e := s.end(); e.Local != addressOf(other.LocalAddr()) {
		t.Errorf("the end of %s was reported, want that of %s alone", e.Local, other.LocalAddr())
	}
}

// awaitNothing has two dumps made, which find no connections.
func (s *site) awaitNothing(when string) {
	s.Helper()
	c := s.await("a dump "+when, func(Connections) bool { return true })
	if len(c.States) > 0 || c.Opened > 0 {
		s.Errorf("%s: states %v, %d opened, want none", when, c.States, c.Opened)
	}
}

// Connections that no dump has seen count by their ends.
func TestUnseenConnections(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{Interval: time.Hour})
	const each = 20
	for range each {
		client, server := s.connect()
		s.closes(client)
		s.awaitEOF(server)
		s.closes(server)
		client, server = s.connect()
		s.closes(server)
		s.awaitEOF(client)
		s.closes(client)
		client, _ = s.connect()
		s.abort(client)
	}
	for range 3 * each {
		s.end()
	}
	c, _ := s.observer.Connections("api")
	// which of the FINs was first cannot be certain: this host sends RSTs, and on a busy machine a TIME_WAIT may be gone
	sent, received := c.Ended[Ending{How: FINSent}], c.Ended[Ending{How: FINReceived}]
	fins := sent + received + c.Ended[Ending{How: Unknown}]
	aborts := c.Ended[Ending{How: ResetSent}]
	if fins != 2*each || sent > each || received > each || aborts != each || c.Opened != 3*each || s.observer.Health().EventsLost != 0 {
		t.Errorf("ended %v, opened %d, lost %d events; want %d by FIN, %d aborted, %d, 0", c.Ended, c.Opened,
			s.observer.Health().EventsLost, 2*each, each, 3*each)
	}
}

// captured is a site that an observer with a capture watches, which dumps at the start alone.
func captured(t *testing.T, interval time.Duration) *site {
	t.Helper()
	s := newNetwork(t, netlab.V4)
	err := s.net.Inside(netlab.C, func() error {
		capture, err := reset.Open(nil)
		if err != nil {
			return err
		}
		t.Cleanup(capture.Close)
		observer, err := Open(Options{Interval: interval, Capture: capture, Ended: func(e *End) { s.ends <- *e }})
		if err != nil {
			return err
		}
		observer.Learn("api", []netip.AddrPort{s.address()}, time.Now())
		s.observer = observer
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.observer.Close)
	return s
}

// With a capture it is certain who closed first, of connections that no dump has seen, too, and without a TIME_WAIT.
func TestClosedFirst(t *testing.T) {
	needNamespaces(t)
	s := captured(t, time.Hour)
	for _, row := range []struct {
		name string
		run  func(client, server *net.TCPConn)
		how  How
	}{
		{"the server", func(client, server *net.TCPConn) {
			s.closes(server)
			s.awaitEOF(client)
			s.closes(client)
		}, FINReceived},
		{"the client", func(client, server *net.TCPConn) {
			s.closes(client)
			s.awaitEOF(server)
			s.closes(server)
		}, FINSent},
		{"the client, and a RST answers", func(client, server *net.TCPConn) {
			if err := client.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			s.awaitEOF(server)
			s.abort(server)
			s.awaitEOF(client)
			s.closes(client)
		}, FINSent},
		{"the client, and an answer comes too late", func(client, server *net.TCPConn) {
			s.closes(client)
			s.awaitEOF(server)
			s.write(server, response)
		}, FINSent},
	} {
		client, server := s.connect()
		local := addressOf(client.LocalAddr())
		row.run(client, server)
		if e := s.end(); e.How != row.how || !e.Certain || e.Local != local || e.Age >= 0 {
			t.Errorf("%s: end = %+v, want %s of %s, which is certain and was never seen", row.name, e, row.how, local)
		}
	}
}

// Who sent a reset is known where a capture has seen it.
func TestOrigin(t *testing.T) {
	needNamespaces(t)
	s := captured(t, time.Hour)
	for _, row := range []struct {
		name   string
		run    func()
		origin result.Origin
	}{
		{"the server", func() {
			client, server := s.connect()
			s.abort(server)
			s.awaitEOF(client)
			s.closes(client)
		}, result.Peer},
		{"a router", func() {
			client, _ := s.connect()
			s.net.Filter(netlab.R1, "forward", "meta length gt 60 tcp dport 1-65535 reject with tcp reset")
			s.write(client, request)
			s.awaitEOF(client)
			s.closes(client)
		}, result.Path},
	} {
		row.run()
		if e := s.end(); e.How != ResetReceived || !e.Certain || e.Origin != row.origin {
			t.Errorf("%s: end = %+v, want a reset by %q", row.name, e, row.origin)
		}
	}
}

// A connection that was a network's, or another target's, counts as opened for a target that is learned later, once.
func TestLearnedLater(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond,
		Networks: []Network{{"10.9.3.0/24", netip.MustParsePrefix("10.9.3.0/24")}}})
	first, _ := s.connect()
	s.awaitState("established")
	for _, target := range []string{"second", "third"} {
		s.observer.(*Observer).Learn(target, []netip.AddrPort{s.address()}, time.Now())
		s.await("a dump", func(Connections) bool { return true })
	}
	s.connect()
	s.await("both", func(c Connections) bool { return c.States["established"] == 2 })
	s.closes(first)
	for range 3 {
		s.end()
	}
	for target, want := range map[string]uint64{"api": 2, "second": 2, "third": 2, "10.9.3.0/24": 0} {
		c, known := s.observer.Connections(target)
		if !known || c.Opened != want || len(c.Ended) != int(min(want, 1)) {
			t.Errorf("%s: %d opened, ended %v, known: %t; want %d opened", target, c.Opened, c.Ended, known, want)
		}
	}
}

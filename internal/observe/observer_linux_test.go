package observe

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/guard"
	"errno_exporter/internal/faultlab/netlab"
)

// limit bounds each wait of these tests, which ends when what is waited for happens.
const limit = 15 * time.Second

// needNamespaces skips a test where there are none, and lets it run beside others.
func needNamespaces(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Parallel()
}

// site is a network in which a client on c has connections to a server on s, and an observer watches c.
type site struct {
	*testing.T
	net      *netlab.Net
	listener net.Listener
	observer watcher
	ends     chan End
}

// watcher is an Observer, here or in another process.
type watcher interface {
	Connections(target string) (Connections, bool)
	Health() Health
	Close()
}

const request, response = "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204\r\n\r\n"

// newNetwork is a site that nobody watches yet.
func newNetwork(t *testing.T, f netlab.Family) *site {
	t.Helper()
	s := &site{T: t, net: netlab.New(t), ends: make(chan End, 1000)}
	s.net.Sysctl(netlab.C, "net.ipv4.tcp_retries2", "1")
	s.listener = s.net.Listen(netlab.S, "tcp", netip.AddrPortFrom(f.Addr(netlab.S), 0).String())
	return s
}

func newSite(t *testing.T, f netlab.Family, o Options) *site {
	t.Helper()
	s := newNetwork(t, f)
	o.Ended = func(e *End) { s.ends <- *e }
	o.Report = func(p *guard.Panic) { t.Errorf("%v\n%s", p, p.Stack) }
	err := s.net.Inside(netlab.C, func() error {
		observer, err := Open(o)
		if err == nil {
			observer.Learn("api", []netip.AddrPort{s.address()}, time.Now())
			s.observer = observer
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.observer.Close)
	return s
}

func (s *site) address() netip.AddrPort { return addressOf(s.listener.Addr()) }

func addressOf(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }

// connect makes a connection on which a request was answered.
func (s *site) connect() (client, server *net.TCPConn) {
	s.Helper()
	client, server = s.dial()
	for _, message := range []struct {
		from, to *net.TCPConn
		text     string
	}{{client, server, request}, {server, client, response}} {
		s.write(message.from, message.text)
		if _, err := io.ReadFull(message.to, make([]byte, len(message.text))); err != nil {
			s.Fatal(err)
		}
	}
	return client, server
}

func (s *site) dial() (client, server *net.TCPConn) {
	s.Helper()
	conn, err := s.net.Dial(context.Background(), netlab.C, "tcp", s.address().String())
	if err != nil {
		s.Fatal(err)
	}
	accepted, err := s.listener.Accept()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _, _ = conn.Close(), accepted.Close() }) // the test has closed most of them
	return conn.(*net.TCPConn), accepted.(*net.TCPConn)
}

func (s *site) write(c *net.TCPConn, text string) {
	s.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		s.Fatal(err)
	}
}

// closes closes a connection; abort sends a RST.
func (s *site) closes(c *net.TCPConn) {
	s.Helper()
	if err := c.Close(); err != nil {
		s.Fatal(err)
	}
}

func (s *site) abort(c *net.TCPConn) {
	s.Helper()
	if err := c.SetLinger(0); err != nil {
		s.Fatal(err)
	}
	s.closes(c)
}

// silence drops what a client sends from now on.
func (s *site) silence(client *net.TCPConn) {
	s.Helper()
	s.net.Filter(netlab.R1, "forward", fmt.Sprintf("tcp sport %d drop", client.LocalAddr().(*net.TCPAddr).Port))
}

// set sets an integer socket option.
func (s *site) set(c *net.TCPConn, option, value int) {
	s.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		s.Fatal(err)
	}
	failed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option, value) })
	if failed != nil || err != nil {
		s.Fatal(failed, err)
	}
}

// await waits until a condition holds in a dump that has begun since the call.
func (s *site) await(what string, holds func(Connections) bool) Connections {
	s.Helper()
	dumps := s.observer.Health().Dumps
	for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if c, known := s.observer.Connections("api"); known && holds(c) && s.observer.Health().Dumps >= dumps+2 {
			return c
		}
	}
	c, _ := s.observer.Connections("api")
	s.Fatalf("not after %v: %s; connections: %+v, health %+v", limit, what, c, s.observer.Health())
	return c
}

// awaitState waits until a dump shows a connection in a state.
func (s *site) awaitState(state string) {
	s.Helper()
	s.await("a connection in "+state, func(c Connections) bool { return c.States[state] == 1 })
}

func (s *site) end() End {
	s.Helper()
	select {
	case e := <-s.ends:
		return e
	case <-time.After(limit):
		c, _ := s.observer.Connections("api")
		s.Fatalf("no end was reported; connections: %+v, health %+v", c, s.observer.Health())
	}
	return End{}
}

// awaitEOF reads until the connection ends.
func (s *site) awaitEOF(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// kind is a way in which a connection ends that a dump has seen.
type kind struct {
	name string
	run  func(s *site, client, server *net.TCPConn)
	want End
}

var kinds = []kind{
	{"RST while idle, closed at once", func(s *site, client, server *net.TCPConn) {
		s.abort(server)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: ResetReceived, Certain: true}},
	{"RST while idle, closed later", func(s *site, client, server *net.TCPConn) {
		s.abort(server)
		s.await("it is gone", func(c Connections) bool { return c.States["established"] == 0 })
		s.closes(client)
	}, End{How: ResetReceived, Certain: true}},
	{"RST instead of an answer", func(s *site, client, server *net.TCPConn) {
		s.write(client, request)
		s.await("it is acknowledged", func(c Connections) bool {
			return c.TCP.BytesSent == uint64(2*len(request)) && c.TCP.Unacknowledged == 0
		})
		s.abort(server) // with the request unread
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: ResetReceived, Certain: true, Lost: Unanswered}},
	{"the server has forgotten the connection", func(s *site, client, server *net.TCPConn) {
		s.set(server, unix.TCP_REPAIR, 1) // then a close sends nothing
		s.closes(server)
		s.write(client, request)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: ResetReceived, Certain: true, Lost: Unacknowledged}},
	{"closed with unread data", func(s *site, client, server *net.TCPConn) {
		s.write(server, response)
		s.await("it has arrived", func(c Connections) bool { return c.TCP.BytesReceived == uint64(2*len(response)) })
		s.closes(client)
	}, End{How: ResetSent, Certain: true}},
	{"aborted", func(s *site, client, server *net.TCPConn) { s.abort(client) },
		End{How: ResetSent, Certain: true}},
	{"FIN by the server, closed at once", func(s *site, client, server *net.TCPConn) {
		s.closes(server)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: FINReceived, Certain: true}},
	{"FIN by the server, closed later", func(s *site, client, server *net.TCPConn) {
		s.closes(server)
		s.awaitState("close_wait")
		s.closes(client)
	}, End{How: FINReceived, Certain: true}},
	{"FIN by the server, then a request", func(s *site, client, server *net.TCPConn) {
		s.closes(server)
		s.awaitState("close_wait")
		s.write(client, request)
		s.await("it is gone", func(c Connections) bool { return c.States["close_wait"] == 0 })
		s.closes(client)
	}, End{How: FINReceived, Certain: true, Lost: Unacknowledged}},
	{"FIN by the client", func(s *site, client, server *net.TCPConn) {
		s.closes(client)
		s.awaitEOF(server)
		s.closes(server)
	}, End{How: FINSent, Certain: true}},
	{"FIN by the client, which the server does not answer", func(s *site, client, server *net.TCPConn) {
		s.closes(client)
	}, End{How: FINSent, Certain: true}},
	{"half closed by the client", func(s *site, client, server *net.TCPConn) {
		if err := client.CloseWrite(); err != nil {
			s.Fatal(err)
		}
		s.awaitState("fin_wait2")
		s.abort(server)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: FINSent, Certain: true}},
}

// timeouts are the kinds that take seconds.
var timeouts = []kind{
	{"the server does not answer any more", func(s *site, client, server *net.TCPConn) {
		s.silence(client)
		s.write(client, request)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: TimedOut, Certain: true, Lost: Unacknowledged}},
	{"the server does not answer keepalives", func(s *site, client, server *net.TCPConn) {
		s.silence(client)
		s.set(client, unix.TCP_KEEPIDLE, 1)
		s.set(client, unix.TCP_KEEPINTVL, 1)
		s.set(client, unix.TCP_KEEPCNT, 1)
		s.awaitEOF(client)
		s.closes(client)
	}, End{How: TimedOut, Certain: true}},
}

// Each kind of end is told apart, on both protocols.
func TestKindsOfEnd(t *testing.T) {
	needNamespaces(t)
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, f, Options{Interval: 20 * time.Millisecond})
			s.compareKinds(t, kinds)
			if f == netlab.V4 {
				s.compareKinds(t, timeouts)
				if c, _ := s.observer.Connections("api"); c.Retransmitted == 0 || c.WindowLimited != 0 {
					t.Errorf("%d segments were retransmitted, limited for %v; want some, and 0", c.Retransmitted, c.WindowLimited)
				}
			}
		})
	}
}

// compareKinds runs a connection of each kind, one after the other.
func (s *site) compareKinds(t *testing.T, kinds []kind) {
	for _, kind := range kinds {
		ok := t.Run(kind.name, func(t *testing.T) {
			s.T = t
			s.compare(kind.run, kind.want)
		})
		if !ok {
			return // the connections left over would confuse the next ones
		}
	}
}

// resolution is that of ages, and of the kernel's clock of idle times: each is rounded.
const resolution = 20 * time.Millisecond

// compare runs one connection, and compares its end with what is wanted, and with this process's own clock.
func (s *site) compare(run func(s *site, client, server *net.TCPConn), want End) {
	s.Helper()
	began := time.Now()
	client, server := s.connect()
	local := client.LocalAddr().(*net.TCPAddr).AddrPort()
	s.awaitState("established")
	run(s, client, server)
	got := s.end()
	elapsed := time.Since(began) + resolution
	if got.Idle < 0 || got.Idle > elapsed || got.Age < 0 || got.Age > elapsed {
		s.Errorf("idle %v, age %v, want at most %v", got.Idle, got.Age, elapsed)
	}
	if got.At.Before(began) || got.At.After(time.Now()) {
		s.Errorf("at %v, want between %v and now", got.At, began)
	}
	if got.SinceReceived < 0 || got.SinceReceived > elapsed {
		s.Errorf("received %v ago, want at most %v", got.SinceReceived, elapsed)
	}
	got.SinceReceived = want.SinceReceived
	want.Target, want.Local, want.Remote = "api", local, s.address()
	got.At, got.Idle, got.Age, got.TCP = want.At, want.Idle, want.Age, want.TCP
	if got != want {
		s.Errorf("end = %+v, want %+v", got, want)
	}
}

package reset

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The socket gets SYN-ACKs and RSTs, each with the time of its arrival, and no FIN, no ACK and no data: they would cost
// a copy of each packet.
func TestCaptureFilter(t *testing.T) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Skipf("packet sockets need CAP_NET_RAW: %v", err)
	}
	source := &packetSocket{fd: fd, stop: make(chan struct{})}
	defer source.close()
	if err := prepareCapture(fd); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		source.read(func(arrival) {}) // the clock is read
		began := time.Now()
		server, client := ends(t, address)
		if _, err := server.Write([]byte("data")); err != nil {
			t.Fatal(err)
		}
		if err := server.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(client); string(got) != "data" || err != nil { // the FIN has arrived
			t.Fatalf("read %q, %v", got, err)
		}
		if err := server.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		reset := func() (err error) {
			_, err = client.Write([]byte("x"))
			return err
		}
		for reset() == nil { // until the RST has arrived
		}
		var flags []uint8 // no FIN until they are wanted
		source.read(func(a arrival) {
			s, ok := parseSegment(a.packet)
			if !ok || s.remote != server.LocalAddr().(*net.TCPAddr).AddrPort() {
				return
			}
			flags = append(flags, s.flags&^(1<<3)) // without PSH
			if a.at.Before(began) || a.at.After(time.Now()) || !a.loopback {
				t.Errorf("%s: arrived at %v over loopback %t, want between %v and now", address, a.at, a.loopback, began)
			}
		})
		if len(flags) < 2 || flags[0] != flagSYN|flagACK {
			t.Fatalf("%s: captured flags %#x, want a SYN-ACK and RSTs", address, flags)
		}
		for _, f := range flags[1:] {
			if f&flagRST == 0 {
				t.Errorf("%s: captured flags %#x, want RSTs after the SYN-ACK", address, flags)
			}
		}
	}
}

// ends are both ends of a connection over loopback.
func ends(t *testing.T, address string) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// A kernel's time is used while the system's clock was not set.
func TestArrivedAt(t *testing.T) {
	now := time.Now()
	before := now.Add(-50 * time.Millisecond)
	for _, row := range []struct {
		name          string
		stamp, before time.Time
		want          time.Duration // before now
	}{
		{"a time", now.Round(0).Add(-3 * time.Millisecond), before, 3 * time.Millisecond},
		{"none", time.Time{}, before, 0},
		{"one after now", now.Round(0).Add(time.Millisecond), before, 0},
		{"one of long ago", now.Round(0).Add(-time.Hour), before, 0},
		{"nothing was read before", now.Round(0).Add(-3 * time.Millisecond), time.Time{}, 0},
	} {
		if got := now.Sub(arrivedAt(row.stamp, now, row.before)); got != row.want {
			t.Errorf("%s: %s before now, want %s", row.name, got, row.want)
		}
	}
}

// The packets of the first read have the times of their arrival, too: a program that probes once reads once.
func TestFirstReadHasTimes(t *testing.T) {
	c, err := Open(nil)
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	awaitStamps(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		began := time.Now()
		_, client := ends(t, address)
		established := time.Now()
		key := flow{client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()}
		c.drainOnce()
		c.mu.Lock()
		got := c.flows[key].synAck.arrived
		c.mu.Unlock()
		if got.Before(began) || got.After(established) {
			t.Errorf("%s: the SYN-ACK arrived %s after the start, want at most %s", address, got.Sub(began),
				established.Sub(began))
		}
	}
}

// awaitStamps returns when the kernel stamps packets as they arrive. It begins with that some time after the first
// socket has asked for it, in a worker of its own, and until then a packet gets the time at which it is read
// (net_enable_timestamp in net/core/dev.c, __sock_recv_timestamp in net/socket.c).
func awaitStamps(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	stampPackets(fd)
	self, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	for stamped := false; !stamped; {
		if err := unix.Sendto(fd, []byte("x"), 0, self); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		var oob [64]byte
		_, n, _, _, err := unix.Recvmsg(fd, make([]byte, 1), oob[:], 0)
		if err != nil {
			t.Fatal(err)
		}
		stamp := stampIn(oob[:n])
		stamped = !stamp.IsZero() && stamp.Before(sent.Round(0))
	}
}

// FINs come once they are wanted.
func TestSeeFINs(t *testing.T) {
	c, err := Open(nil)
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		server, client := ends(t, address)
		local, remote := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
		before := c.Closed(local, remote, Bytes{1, 1})
		for range 2 {
			if err := c.SeeFINs(); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.Closed(local, remote, Bytes{1, 1}); got != before {
			t.Errorf("%s: after SeeFINs: %+v, want %+v", address, got, before)
		}
		_, _ = server.Close(), client.Close()
		server, client = ends(t, address)
		local = client.LocalAddr().(*net.TCPAddr).AddrPort()
		remote = client.RemoteAddr().(*net.TCPAddr).AddrPort()
		if got := c.Closed(local, remote, Bytes{1, 0}); got != (Closing{Known: true}) {
			t.Errorf("%s: while it is open: %+v, want one that is known", address, got)
		}
		if err := server.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(client); err != nil { // the FIN has arrived
			t.Fatal(err)
		}
		if got := c.Closed(local, remote, Bytes{1, 1}); got != (Closing{true, true, true, true}) {
			t.Errorf("%s: after the FIN: %+v, want a FIN that acknowledges the SYN", address, got)
		}
	}
}

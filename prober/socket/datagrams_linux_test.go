package socket

import (
	"net"
	"testing"
	"time"
)

// A datagram has arrived when the kernel took it in, however late it is read; and not before the socket was there.
func TestDatagramsArrive(t *testing.T) {
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	conn, err := net.DialUDP("udp4", nil, peer.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	held := HoldStamping()
	defer held.Close()
	d := NewDatagrams(conn, time.Now())
	if !d.Stamped() {
		t.Fatal("there are no timestamps")
	}
	late, p := 30*time.Millisecond, make([]byte, 10)
	send := func() (written time.Duration) {
		if _, err := peer.WriteToUDP([]byte("datagram"), conn.LocalAddr().(*net.UDPAddr)); err != nil {
			t.Fatal(err)
		}
		written = time.Since(d.start)
		time.Sleep(late) // which is not to be measured
		return written
	}
	for a := (Arrival{}); a.Read-a.At < late && t.Context().Err() == nil; { // the kernel begins a moment later
		send()
		if _, a, err = d.Receive(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, kernel := range []bool{true, false} {
		written := send()
		if !kernel {
			d.base.wall = d.base.wall.Add(time.Hour) // the system's clock was set
		}
		n, a, err := d.Receive(p)
		if string(p[:n]) != "datagram" || err != nil || a.Kernel != kernel || (a.At <= written) != kernel ||
			a.Read < written+late || !kernel && a.At != a.Read {
			t.Errorf("%q, %v: arrived after %s, read after %s, by the kernel %t, want %t; sent after %s", p[:n], err, a.At,
				a.Read, a.Kernel, kernel, written)
		}
	}
}

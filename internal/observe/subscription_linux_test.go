package observe

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/netlab"
)

// A thousand connections that end at once are reported, whatever buffer a user without privileges has by default. What
// does not fit into one such buffer is counted.
func TestBurst(t *testing.T) {
	needNamespaces(t)
	s := newNetwork(t, netlab.V4)
	const burst, byDefault = 1000, 212992 // net.core.rmem_max (Documentation/admin-guide/sysctl/net.rst)
	all, one, witness := s.subscribe(), s.subscribe(), s.subscribe()
	for _, fd := range all.fds {
		s.limitBuffer(fd, byDefault)
	}
	for len(one.fds) > 1 { // which then gets all ends
		_ = unix.Close(one.fds[len(one.fds)-1])
		one.fds = one.fds[:len(one.fds)-1]
	}
	if err := unix.SetsockoptInt(one.fds[0], unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); err != nil {
		t.Fatal(err)
	}
	s.limitBuffer(one.fds[0], byDefault)
	var clients []*net.TCPConn
	for range burst {
		client, _ := s.dial()
		clients = append(clients, client)
	}
	for _, client := range clients {
		s.abort(client)
	}
	for _, row := range []struct {
		name         string
		subscription *subscription
		least, most  uint64 // that are lost
	}{
		{"the witness, who reads at once", witness, 0, 0},
		{"all shares", all, 0, 0},
		{"one socket", one, 1, burst - 100},
	} {
		var got, lost uint64
		for until := time.Now().Add(limit); got+lost < burst && time.Now().Before(until); {
			row.subscription.drain(batch, func([]byte) { got++ })
			lost = row.subscription.dropped()
		}
		if got+lost != burst || lost < row.least || lost > row.most {
			t.Errorf("%s: %d of %d ends were reported, %d lost; want %d to %d lost", row.name, got, burst, lost, row.least,
				row.most)
		}
	}
}

func (s *site) subscribe() (opened *subscription) {
	s.Helper()
	err := s.net.Inside(netlab.C, func() (err error) {
		opened, err = subscribe()
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(opened.close)
	return opened
}

func (s *site) limitBuffer(fd, bytes int) {
	s.Helper()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes); err != nil {
		s.Fatal(err)
	}
}

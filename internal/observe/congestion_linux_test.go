package observe

import (
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// A connection whose packets are lost is in the state loss from the first timeout on, with a window of one segment
// (RFC 5681 section 3.1).
func TestCongestion(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond})
	s.net.Sysctl(netlab.C, "net.ipv4.tcp_retries2", "15")
	client, _ := s.connect()
	before := s.await("a connection", func(c Connections) bool { return c.TCP.Window > 0 })
	if len(before.Congestion) > 0 {
		t.Errorf("before the loss: %v, want no state", before.Congestion)
	}
	s.silence(client)
	s.write(client, request)
	lost := s.await("loss", func(c Connections) bool { return c.Congestion["loss"] == 1 })
	if lost.TCP.Window == 0 || lost.TCP.Window > before.TCP.Window/5 || len(lost.Congestion) != 1 {
		t.Errorf("window %d after %d, states %v; want one segment, and loss alone", lost.TCP.Window, before.TCP.Window,
			lost.Congestion)
	}
	s.abort(client)
}

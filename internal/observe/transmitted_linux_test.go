package observe

import (
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// A peer that does not read shows in the time for which its receive window was what kept the application from sending.
func TestWindowLimited(t *testing.T) {
	needNamespaces(t)
	s := newSite(t, netlab.V4, Options{Interval: 20 * time.Millisecond})
	client, _ := s.connect()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = client.Write(make([]byte, 16<<20)) // until it is closed
	}()
	s.await("the window was full", func(c Connections) bool { return c.WindowLimited > 0 })
	s.abort(client)
	<-written
}

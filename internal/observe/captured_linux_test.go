package observe

import (
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// When a connection was reset is known where a capture has seen it, however late its process closes the connection.
func TestResetWhen(t *testing.T) {
	needNamespaces(t)
	s := captured(t, 20*time.Millisecond)
	client, server := s.connect()
	answered := time.Now()
	s.awaitState("established")
	before := time.Now()
	s.abort(server)
	s.awaitEOF(client)
	after := time.Now()
	s.await("it is gone", func(c Connections) bool { return c.States["established"] == 0 })
	for range 20 { // dumps, which take a multiple of resolution
		s.await("another dump", func(Connections) bool { return true })
	}
	s.closes(client)
	e := s.end()
	if e.How != ResetReceived || !e.Certain || e.Origin != result.Peer {
		t.Errorf("end = %+v, want a reset by the peer", e)
	}
	if e.At.Before(before.Add(-resolution)) || e.At.After(after.Add(resolution)) {
		t.Errorf("at %v, want between %v and %v", e.At, before, after)
	}
	// the kernel told the idle time at most as long ago as it was asked the time before
	if most := e.At.Sub(answered) + time.Since(after); e.Idle > most || e.Idle < 0 {
		t.Errorf("idle %v, want at most %v", e.Idle, most)
	}
}

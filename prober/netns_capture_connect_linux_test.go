package prober_test

import (
	"testing"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/internal/reset"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// TestResetOfTheHandshakeIsAttributed: the RST that answers the handshake's last ACK arrives while connect() waits, or
// just after it has returned. Its sender is known in either case.
func TestResetOfTheHandshakeIsAttributed(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		n := netlab.New(t)
		url := netlab.HandshakeReset(f, netlab.R1)(n)
		err := n.Inside(netlab.C, func() error {
			capture, err := reset.Open(nil)
			if err != nil {
				return err
			}
			defer capture.Close()
			p := prober.New(prober.Options{Resets: capture})
			for range 50 {
				attributed(t, probe(t, p, url, labModule()))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// attributed compares what is seen of a RST from two routers nearer than the server.
func attributed(t *testing.T, r result.Result) {
	t.Helper()
	failure, w := r.Failure, r.Last().LastHop().Wire
	if failure == nil || w == nil || w.Reset == nil {
		t.Errorf("failure %v, wire %+v, want a RST", failure, w)
		return
	}
	delta, _ := w.Reset.Delta()
	type reset struct {
		Reason result.Reason
		Origin result.Origin
		Sender result.Sender
		Delta  int
	}
	got := reset{failure.Reason, failure.Origin, w.Reset.Sender, delta}
	if want := (reset{result.TCPReset, result.Path, result.Middlebox, 2}); got != want {
		t.Errorf("in phase %s: %+v, want %+v", failure.Phase, got, want)
	}
}

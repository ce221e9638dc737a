package prober

import (
	"context"
	"net/netip"
	"runtime"
	"testing"
	"weak"

	"errno_exporter/prober/module"
)

// A closed socket holds nothing of its attempt: quic-go holds it for seconds.
func TestClosedSocketHoldsNoAttempt(t *testing.T) {
	open := func() (*datagrams, weak.Pointer[attempt]) {
		a := New(Options{}).newAttempt(context.Background(), Target{}, module.New("m"), "")
		d, err := a.openUDP(netip.MustParseAddrPort("127.0.0.1:9"))
		if err != nil {
			t.Fatal(err)
		}
		return d, weak.Make(a)
	}
	d, of := open()
	runtime.GC()
	if of.Value() == nil {
		t.Error("an open socket holds no attempt, which is called with the panics of its trace")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if of.Value() != nil {
		t.Error("a closed socket holds its attempt")
	}
	runtime.KeepAlive(d)
}

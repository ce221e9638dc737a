package socket

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TCP_INFO is of the moment that it is read; there is none of a closed connection.
func TestTCPInfo(t *testing.T) {
	r, peer := connection(t)
	if _, err := r.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	info := readTCPInfo(r.raw)
	if info == nil || info.State != "ESTABLISHED" || info.BytesSent != 4 || info.SndMSS == 0 || info.PMTU == 0 {
		t.Fatalf("%+v, want an established connection that sent four bytes", info)
	}
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil { // the FIN has arrived
		t.Fatal("read without error")
	}
	if info = readTCPInfo(r.raw); info == nil || info.State != "CLOSE_WAIT" {
		t.Errorf("%+v, want CLOSE_WAIT", info)
	}
	raw := r.raw
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if info = readTCPInfo(raw); info != nil {
		t.Errorf("%+v of a closed connection", info)
	}
}

// The recorder reads TCP_INFO once, at what comes first.
func TestTCPInfoIsReadOnce(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(*Recorder)
		want string
	}{
		{"at the deadline", func(r *Recorder) { r.Interrupt(); _ = r.Close() }, "deadline"},
		{"before the close", func(r *Recorder) { r.ReadTCPInfo(); r.Interrupt() }, "close"},
		{"at the close", func(r *Recorder) { _ = r.Close(); r.Interrupt(); r.ReadTCPInfo() }, "close"},
	} {
		r, _ := connection(t)
		row.end(r)
		if w := r.Wire(); w.Info == nil || w.InfoAt != row.want {
			t.Errorf("%s: %+v, read at %q, want %q", row.name, w.Info, w.InfoAt, row.want)
		}
	}
}

// Nothing waits behind a hole of a socket that has received nothing, or whose bytes can be read.
func TestOutOfOrderQueued(t *testing.T) {
	r, peer := connection(t)
	check := func(name string) {
		t.Helper()
		if err := r.raw.Control(func(fd uintptr) {
			if outOfOrderQueued(int(fd)) {
				t.Errorf("%s: segments wait behind a hole", name)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	check("nothing received")
	if _, err := peer.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if err := r.raw.Read(func(fd uintptr) bool {
		n, _ := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		return n == 4
	}); err != nil {
		t.Fatal(err)
	}
	check("four bytes to read")
}

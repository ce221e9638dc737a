package clients

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"errno_exporter/test/accuracy"
	"golang.org/x/sys/unix"
)

// refusals counts the connections that programs try to make to ports where nobody listens: a request that was never
// sent is repeated, whatever its method.
type refusals struct {
	wire *accuracy.Wire // nil without CAP_NET_RAW

	mu    sync.Mutex // guards ports
	ports map[uint16]*program
}

// capture begins to count.
func capture(t *testing.T) *refusals {
	r := &refusals{ports: map[uint16]*program{}}
	wire, err := accuracy.Listen()
	if err != nil {
		t.Logf("connections that are refused are not counted: %v (CAP_NET_RAW is needed)", err)
		return r
	}
	t.Cleanup(wire.Close)
	r.wire = wire
	return r
}

// check is a POST to a port where nobody listens.
func (r *refusals) check(t *testing.T, p *program) func() {
	t.Helper()
	port := closedPort(t)
	r.mu.Lock()
	r.ports[port] = p
	r.mu.Unlock()
	return func() {
		if got := p.call("POST", fmt.Sprintf("http://127.0.0.1:%d/", port), time.Minute); got != "failed" {
			t.Errorf("%s: POST, the connection is refused: the outcome is %q, want \"failed\"", p.source, got)
		}
	}
}

// closedPort is a port that belongs to the test and where nobody listens.
func closedPort(t *testing.T) uint16 {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(at.(*unix.SockaddrInet4).Port)
}

// compare holds the number of connections against that of attempts, once all programs are done.
func (r *refusals) compare(t *testing.T) {
	t.Helper()
	if r.wire == nil {
		return
	}
	if err := r.wire.Settle(); err != nil {
		t.Fatal(err)
	}
	tried := map[uint16]int{}
	for _, packet := range r.wire.Take() {
		if packet.Outgoing && packet.SYN && !packet.ACK {
			tried[packet.To.Port()]++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for port, p := range r.ports {
		if got, want := tried[port], attempts*p.connects; got != want {
			t.Errorf("%s: POST, the connection is refused: it was tried %d times, want %d", p.source, got, want)
		}
	}
}

package observe

import (
	"bufio"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// observedVariable has the address that a process without privileges observes.
const observedVariable = "ERRNO_EXPORTER_OBSERVED"

// nobody is the user and the group of such a process.
const nobody = 65534

// line is what it writes: an end, or what it knows.
type line struct {
	End    *End
	States map[string]int
	TCP    TCP
	Opened uint64
	Health Health

	Containers map[string]ContainerCount
}

// remote is an Observer in another process.
type remote struct {
	input   io.WriteCloser
	answers chan line
	done    sync.WaitGroup
}

// ask asks the process what it knows at present.
func (r *remote) ask() line {
	_, _ = io.WriteString(r.input, "\n") // without the process there is no answer
	return <-r.answers
}

func (r *remote) Connections(string) (Connections, bool) {
	l := r.ask()
	return Connections{States: l.States, TCP: l.TCP, Opened: l.Opened, Containers: l.Containers}, l.Health.Dumps > 0
}

func (r *remote) Health() Health { return r.ask().Health }

func (r *remote) Close() {
	_ = r.input.Close() // which ends it
	r.done.Wait()
}

// startRemote starts a process without privileges on c that observes the site.
func startRemote(s *site) *remote {
	s.Helper()
	binary, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	child := exec.Command(binary, "-test.run=^TestUnprivilegedChild$")
	child.Env = append(os.Environ(), observedVariable+"="+s.address().String())
	child.Stderr = os.Stderr
	input, err := child.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	output, err := child.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := s.net.Inside(netlab.C, child.Start); err != nil {
		s.Fatal(err)
	}
	r := &remote{input: input, answers: make(chan line)}
	r.done.Go(func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			var l line
			switch {
			case json.Unmarshal(lines.Bytes(), &l) != nil: // what the testing package writes
			case l.End != nil:
				s.ends <- *l.End
			default:
				r.answers <- l
			}
		}
		close(r.answers)
		if err := child.Wait(); err != nil {
			s.Errorf("the process without privileges: %v", err)
		}
	})
	return r
}

// A user who is not root and has no capability sees the same.
func TestKindsOfEndUnprivileged(t *testing.T) {
	needNamespaces(t)
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newNetwork(t, f)
			s.observer = startRemote(s)
			t.Cleanup(s.observer.Close)
			s.compareKinds(t, kinds)
			if f == netlab.V6 {
				s.compareKinds(t, timeouts)
			}
		})
	}
}

// TestUnprivilegedChild is the process without privileges.
func TestUnprivilegedChild(t *testing.T) {
	address, started := os.LookupEnv(observedVariable)
	if !started {
		t.Skip("started by TestKindsOfEndUnprivileged only")
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil || !strings.Contains(string(status), "CapEff:\t0000000000000000\n") {
		t.Fatalf("the process has capabilities (%v):\n%s", err, status)
	}
	var mu sync.Mutex // guards out
	out := json.NewEncoder(os.Stdout)
	write := func(l line) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(l) // whoever reads may be gone
	}
	o, err := Open(Options{Interval: 20 * time.Millisecond, Ended: func(e *End) { write(line{End: e}) }})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	o.Learn("api", []netip.AddrPort{netip.MustParseAddrPort(address)}, time.Now())
	for questions := bufio.NewScanner(os.Stdin); questions.Scan(); {
		c, _ := o.Connections("api")
		write(line{States: c.States, TCP: c.TCP, Opened: c.Opened, Health: o.Health(), Containers: c.Containers})
	}
}

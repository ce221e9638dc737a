package observe

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// soakVariable has the number of connections of TestSoak, which takes a minute: make soak.
const soakVariable = "ERRNO_EXPORTER_SOAK"

// account is what the observing process has used, and what it knows.
type account struct {
	CPU    time.Duration
	Heap   uint64 // bytes in use after a collection
	Opened uint64
	Ended  uint64
	Health Health
}

// What 10,000 sockets and 1,000 ends a second cost, and whether anything of many connections is lost.
func TestSoak(t *testing.T) {
	connections, err := strconv.Atoi(os.Getenv(soakVariable))
	if err != nil {
		t.Skipf("%s is not set: make soak", soakVariable)
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	s := newNetwork(t, netlab.V4)
	s.net.Sysctl(netlab.C, "net.ipv4.ip_local_port_range", "10000 65000")
	accepted := make(chan net.Conn, 1)
	go func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	child := startAccount(s)
	pair := func() (client, server *net.TCPConn) {
		conn, err := net.Dial("tcp", s.address().String())
		if err != nil {
			t.Fatal(err)
		}
		return conn.(*net.TCPConn), (<-accepted).(*net.TCPConn)
	}
	churn := func(n int, pace time.Duration) {
		began := time.Now()
		for i := range n {
			client, server := pair()
			first, second := client, server
			if i%2 == 0 {
				first, second = server, client
			}
			_, _ = first.SetLinger(0), first.Close()
			_ = second.Close()
			time.Sleep(time.Until(began.Add(time.Duration(i) * pace)))
		}
	}
	err = s.net.Inside(netlab.C, func() error {
		const idle, warm, paced = 9_900, 2_000, 10_000 // with both ends, within 20,000 file descriptors
		empty := child.ask(t, heap)
		for range idle {
			client, server := pair()
			defer client.Close()
			defer server.Close()
		}
		churn(warm, time.Millisecond)
		before, began := child.ask(t, usage), time.Now()
		churn(paced, time.Millisecond)
		elapsed, after := time.Since(began), child.ask(t, heap)
		t.Logf("%.2f %% of a CPU with %d sockets and %.0f ends a second; heap %d KiB, %d KiB without sockets; %+v",
			100*float64(after.CPU-before.CPU)/float64(elapsed), after.Health.Sockets,
			float64(after.Ended-before.Ended)/elapsed.Seconds(), after.Heap>>10, empty.Heap>>10, after.Health)
		began = time.Now()
		churn(connections, 0)
		soaked, took := child.ask(t, heap), time.Since(began)
		all := uint64(warm + paced + connections)
		until := time.Now().Add(limit)
		for time.Now().Before(until) &&
			(soaked.Ended+soaked.Health.EventsLost < all || soaked.Heap > after.Heap+1<<20) {
			soaked = child.ask(t, heap)
		}
		t.Logf("%d connections in %v: %+v", connections, took, soaked)
		if soaked.Ended+soaked.Health.EventsLost != all {
			t.Errorf("%d ends of %d, %d events were lost", soaked.Ended, all, soaked.Health.EventsLost)
		}
		if soaked.Heap > after.Heap+1<<20 {
			t.Errorf("the heap grew from %d bytes to %d", after.Heap, soaked.Heap)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The questions to the observing process. That about the heap makes it collect, which costs more than it observes in a
// second: the time that it has used is read before.
const (
	usage = "usage"
	heap  = "heap"
)

// accountant asks a process that observes for its account.
type accountant struct {
	input io.Writer
	lines *bufio.Scanner
}

func (a *accountant) ask(t *testing.T, question string) (answer account) {
	t.Helper()
	if _, err := io.WriteString(a.input, question+"\n"); err != nil {
		t.Fatal(err)
	}
	for a.lines.Scan() {
		if json.Unmarshal(a.lines.Bytes(), &answer) == nil {
			return answer
		}
	}
	t.Fatalf("no answer: %v", a.lines.Err())
	return answer
}

// accountVariable has the address that such a process observes.
const accountVariable = "ERRNO_EXPORTER_ACCOUNT"

func startAccount(s *site) *accountant {
	s.Helper()
	binary, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	child := s.net.Command(netlab.C, binary, "-test.run=^TestAccountChild$")
	child.Env = append(os.Environ(), accountVariable+"="+s.address().String())
	input, err := child.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	output, err := child.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := child.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = input.Close() // which ends it
		if err := child.Wait(); err != nil {
			s.Errorf("the observing process: %v", err)
		}
	})
	return &accountant{input, bufio.NewScanner(output)}
}

// TestAccountChild is the process that observes.
func TestAccountChild(t *testing.T) {
	address, started := os.LookupEnv(accountVariable)
	if !started {
		t.Skip("started by TestSoak only")
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o, err := Open(Options{Ended: func(*End) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	o.Learn("api", []netip.AddrPort{netip.MustParseAddrPort(address)}, time.Now())
	for questions, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout); questions.Scan(); {
		var used syscall.Rusage
		var memory runtime.MemStats
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			t.Fatal(err)
		}
		if questions.Text() == heap {
			runtime.GC()
			runtime.ReadMemStats(&memory)
		}
		c, _ := o.Connections("api")
		a := account{CPU: time.Duration(used.Utime.Nano() + used.Stime.Nano()), Heap: memory.HeapAlloc,
			Opened: c.Opened, Health: o.Health()}
		for _, n := range c.Ended {
			a.Ended += n
		}
		if err := out.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
}

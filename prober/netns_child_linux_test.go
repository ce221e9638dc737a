package prober_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Go moves goroutines between threads, and a network namespace belongs to a thread: a probe is wholly in a namespace
// only if its process is. So the test binary runs itself there, with its order in the environment, and writes reports
// to stdout.

// childVariable holds the order: a visit in JSON.
const childVariable = "ERRNO_EXPORTER_NETNS_VISIT"

// visit is what the process in the namespace is to do.
type visit struct {
	URL                string
	Resolver           string // host:port
	Timeout            time.Duration
	Count              int  // probes, one after the other
	Body               int  // bytes to upload; 0 sends a GET
	PreferIPv6         bool // of the addresses of a name
	DescriptorsLeft    int  // that the process may still open, if it is short of them
	ShortOfDescriptors bool
	Landlock           bool // the process may not connect
	HTTP3              bool // over QUIC
}

func (v visit) withDefaults() visit {
	if v.Timeout == 0 {
		v.Timeout = deadline
	}
	if v.Count == 0 {
		v.Count = 1
	}
	return v
}

// report is what one probe said, and the evidence.
type report struct {
	Phase          result.Phase
	Reason         result.Reason
	Errno          string
	Origin         result.Origin
	Err            string
	Elapsed        time.Duration
	Timeout        time.Duration
	ICMP           *result.ICMP
	Info           *result.TCPInfo
	InfoAt         string
	SYNRetransmits uint32
	Events         []string
	Lookup         []string
	Status         int
}

// TestNetnsChild is the process in the namespace. It tests nothing by itself.
func TestNetnsChild(t *testing.T) {
	order, ordered := os.LookupEnv(childVariable)
	if !ordered {
		t.Skip("started by TestNetns only")
	}
	var v visit
	if err := json.Unmarshal([]byte(order), &v); err != nil {
		t.Fatalf("decode visit: %v", err)
	}
	if v.Landlock {
		t.Fatal(execWithoutConnect(v))
	}
	module := module.New("net")
	module.Timeout, module.PreferIPv6 = v.Timeout, v.PreferIPv6
	if v.HTTP3 {
		overHTTP3(module)
	}
	if v.Body > 0 {
		module.Method, module.Body = "POST", make([]byte, v.Body)
	}
	p := prober.New(prober.Options{UserAgent: "netns test", Resolver: v.Resolver})
	if v.ShortOfDescriptors {
		if err := useDescriptors(v.DescriptorsLeft); err != nil {
			t.Fatal(err)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	for range v.Count {
		if err := encoder.Encode(newReport(probe(t, p, v.URL, module))); err != nil {
			t.Fatalf("encode report: %v", err)
		}
	}
}

func newReport(probed result.Result) report {
	r := report{Elapsed: probed.Elapsed, Timeout: probed.Timeout}
	if f := probed.Failure; f != nil {
		r.Phase, r.Reason, r.Errno, r.Origin = f.Phase, f.Reason, result.ErrnoName(f.Errno), f.Origin
		r.Err = fmt.Sprint(f.Err)
	}
	hop := probed.Last().LastHop()
	if w := hop.Wire; w != nil {
		r.ICMP, r.Info, r.InfoAt, r.SYNRetransmits = w.ICMP, w.Info, w.InfoAt, w.SYNRetransmits
		for _, e := range w.Events {
			r.Events = append(r.Events, fmt.Sprintf("%s %d bytes, %v to %v: %v", e.Op, e.Bytes, e.Start, e.End, e.Err))
		}
	}
	if hop.Lookup != nil {
		for _, x := range hop.Lookup.Exchanges {
			r.Lookup = append(r.Lookup, fmt.Sprintf("%s %s %s: rcode %d, %v", x.Server, x.Network, x.Question, x.RCode,
				x.Err))
		}
	}
	if hop.Response != nil {
		r.Status = hop.Response.Status
	}
	return r
}

// useDescriptors opens descriptors until the process may open no more than a few.
func useDescriptors(left int) error {
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit descriptors: %w", err)
	}
	// The runtime makes its poller with the first socket, and cannot live without it.
	if _, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("start the poller: %w", err)
	}
	var opened []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EMFILE) {
			break
		}
		if err != nil {
			return fmt.Errorf("use up descriptors: %w", err)
		}
		opened = append(opened, fd)
	}
	for _, fd := range opened[:left] {
		if err := unix.Close(fd); err != nil {
			return fmt.Errorf("free a descriptor: %w", err)
		}
	}
	return nil
}

// execWithoutConnect runs the process anew, without landlock in its order and with no right to connect by TCP. A domain
// is a thread's; exec makes it the process's.
func execWithoutConnect(v visit) error {
	runtime.LockOSThread()
	rules := unix.LandlockRulesetAttr{Handled_access_net: unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)),
		unsafe.Sizeof(rules), 0)
	if errno != 0 {
		return fmt.Errorf("make a landlock ruleset: %w", errno)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("restrict by landlock: %w", errno)
	}
	v.Landlock = false
	order, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode visit: %w", err)
	}
	if err := os.Setenv(childVariable, string(order)); err != nil {
		return fmt.Errorf("pass on the visit: %w", err)
	}
	return fmt.Errorf("run anew: %w", syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

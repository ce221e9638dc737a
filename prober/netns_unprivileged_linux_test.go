//go:build amd64 || arm64

package prober_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/internal/faultlab/sandbox"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// unprivilegedVariable holds what a process without privileges is to find, in JSON.
const unprivilegedVariable = "ERRNO_EXPORTER_UNPRIVILEGED"

// nobody is the user and the group of such a process.
const nobody = 65534

// containerDenied are system calls that the seccomp profile of container runtimes denies to a process without
// capabilities (github.com/moby/moby, profiles/seccomp).
var containerDenied = []sandbox.Call{
	{Number: unix.SYS_ACCT}, {Number: unix.SYS_ADD_KEY}, {Number: unix.SYS_BPF}, {Number: unix.SYS_CLOCK_SETTIME},
	{Number: unix.SYS_FANOTIFY_INIT}, {Number: unix.SYS_INIT_MODULE}, {Number: unix.SYS_IO_URING_SETUP},
	{Number: unix.SYS_KCMP}, {Number: unix.SYS_KEYCTL}, {Number: unix.SYS_MOUNT}, {Number: unix.SYS_OPEN_BY_HANDLE_AT},
	{Number: unix.SYS_PERF_EVENT_OPEN}, {Number: unix.SYS_PIVOT_ROOT}, {Number: unix.SYS_PROCESS_VM_READV},
	{Number: unix.SYS_PTRACE}, {Number: unix.SYS_REQUEST_KEY}, {Number: unix.SYS_SETNS}, {Number: unix.SYS_SYSLOG},
	{Number: unix.SYS_UMOUNT2}, {Number: unix.SYS_UNSHARE}, {Number: unix.SYS_USERFAULTFD},
	sandbox.OpenSocket(unix.AF_ALG), sandbox.OpenSocket(unix.AF_VSOCK), sandbox.OpenSocket(unix.AF_PACKET),
}

// unprivilegedOrder is what such a process probes, and what it is to find. Hellos and Intercepted are in the words of
// hellos and interceptions.
type unprivilegedOrder struct {
	URL         string
	Name        netip.Addr // of faultlab.RefusedName
	Want        unprivileged
	Hellos      map[string]string // by URL
	Intercepted string
}

// The experiments that find who resets and who intercepts work for a user who is not root, has no capability and is
// confined as in a container.
func TestNetnsUnprivileged(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		by := func(who result.Sender, closed result.Than) unprivilegedOrder {
			return unprivilegedOrder{Want: unprivileged{who, closed}}
		}
		for _, row := range []struct {
			name  string
			fault netlab.Fault
			order unprivilegedOrder
		}{
			{"the application aborts", netlab.Aborts(f), by(result.EndHost, "")},
			{"r2 resets the request", netlab.RequestReset(f, netlab.R2), by(result.Middlebox, "")},
			{"own firewall resets the request", netlab.OwnRequestReset(f), by(result.ThisHost, "")},
			{"r2 resets the SYN", netlab.SYNReset(f, netlab.R2), by(result.Ambiguous, result.Farther)},
			{"nothing intercepts", netlab.Closes(f), unprivilegedOrder{Intercepted: "never_routed"}},
			{"r1 redirects", netlab.Redirected(f, "tcp dport 80"), unprivilegedOrder{Intercepted: "never_routed+"}},
			{"r1 redirects a public address", netlab.PublicRedirected(f),
				unprivilegedOrder{Intercepted: "never_routed one_hop+"}},
		} {
			t.Run(f.String()+" "+row.name, func(t *testing.T) {
				t.Parallel()
				n := netlab.New(t)
				row.order.URL = row.fault(n)
				obeys(t, &row.order, func(program string, args ...string) *exec.Cmd {
					return n.Command(netlab.C, program, args...)
				})
			})
		}
	}
}

// What is refused in a ClientHello is found by such a user, too: by the server of a network, each refusal at a port.
func TestNetnsUnprivilegedHello(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			n := netlab.New(t)
			for at, links := range map[netlab.Node]string{netlab.C: "right", netlab.R1: "left right",
				netlab.R2: "left right", netlab.S: "left"} {
				for link := range strings.FieldsSeq(links) {
					n.IP(at, "link", "set", link, "mtu", "9000") // a device refuses what comes in one segment
				}
			}
			addr := f.Addr(netlab.S)
			order := unprivilegedOrder{Name: addr, Hellos: map[string]string{}}
			for _, row := range helloRows {
				refusing := faultlab.Hello{Refused: row.refused, Failure: faultlab.HelloReset, Device: row.device,
					Address: netip.AddrPortFrom(addr, 0).String()}
				var port string
				if err := n.Inside(netlab.S, func() error {
					port = faultlab.RefusesHello(t, refusing)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				order.Hellos["https://"+faultlab.RefusedName+":"+port+"/"] = row.want
			}
			obeys(t, &order, func(program string, args ...string) *exec.Cmd {
				return n.Command(netlab.C, program, args...)
			})
		})
	}
}

// obeys has a process without privileges execute an order.
func obeys(t *testing.T, order *unprivilegedOrder, command func(program string, args ...string) *exec.Cmd) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	child := command(binary, "-test.run=^TestUnprivilegedChild$", "-test.v")
	child.Env = append(os.Environ(), unprivilegedVariable+"="+string(text))
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnprivilegedChild is the process without privileges.
func TestUnprivilegedChild(t *testing.T) {
	text, ordered := os.LookupEnv(unprivilegedVariable)
	if !ordered {
		t.Skip("started by TestNetnsUnprivileged only")
	}
	var order unprivilegedOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody),
		sandbox.Deny(unix.EPERM, containerDenied...)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapAmb:\t"} {
		if !strings.Contains(string(status), line+"0000000000000000\n") {
			t.Fatalf("the process has capabilities:\n%s", status)
		}
	}
	found := unprivilegedOrder{URL: order.URL, Name: order.Name}
	m := labModule()
	m.Timeout = 3 * time.Second
	switch {
	case order.Hellos != nil:
		found.Hellos = unprivilegedHellos(t, &order, m)
	case order.Intercepted != "":
		m.Diagnose.NeverRouted = true
		found.Intercepted = interceptions(t, order.URL, m)
	default:
		found.Want = measured(t, prober.New(prober.Options{}), order.URL, m)
	}
	if diff := cmp.Diff(order, found, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// unprivilegedHellos are the experiments with ClientHellos for each URL, all at once.
func unprivilegedHellos(t *testing.T, order *unprivilegedOrder, m *module.Module) map[string]string {
	t.Helper()
	p := prober.New(prober.Options{Resolver: faultlab.DNS(t,
		map[string][]netip.Addr{faultlab.RefusedName: {order.Name}})})
	var running sync.WaitGroup
	var mu sync.Mutex // guards found
	found := map[string]string{}
	for url := range order.Hellos {
		running.Go(func() {
			r := probe(t, p, url, m)
			target, _ := prober.ParseTarget(url) // as in probe
			made := hellos(p.Diagnose(t.Context(), target, &r, m))
			mu.Lock()
			defer mu.Unlock()
			found[url] = made
		})
	}
	running.Wait()
	return found
}

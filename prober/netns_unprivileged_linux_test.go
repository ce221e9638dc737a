//go:build amd64 || arm64

package prober_test

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// unprivilegedVariable holds what a process without privileges is to find, in JSON.
const unprivilegedVariable = "ERRNO_EXPORTER_UNPRIVILEGED"

// nobody is the user and the group of such a process.
const nobody = 65534

// containerDenied are system calls that the seccomp profile of container runtimes denies to a process without
// capabilities (github.com/moby/moby, profiles/seccomp).
var containerDenied = []call{
	{Number: unix.SYS_ACCT}, {Number: unix.SYS_ADD_KEY}, {Number: unix.SYS_BPF}, {Number: unix.SYS_CLOCK_SETTIME},
	{Number: unix.SYS_FANOTIFY_INIT}, {Number: unix.SYS_INIT_MODULE}, {Number: unix.SYS_IO_URING_SETUP},
	{Number: unix.SYS_KCMP}, {Number: unix.SYS_KEYCTL}, {Number: unix.SYS_MOUNT}, {Number: unix.SYS_OPEN_BY_HANDLE_AT},
	{Number: unix.SYS_PERF_EVENT_OPEN}, {Number: unix.SYS_PIVOT_ROOT}, {Number: unix.SYS_PROCESS_VM_READV},
	{Number: unix.SYS_PTRACE}, {Number: unix.SYS_REQUEST_KEY}, {Number: unix.SYS_SETNS}, {Number: unix.SYS_SYSLOG},
	{Number: unix.SYS_UMOUNT2}, {Number: unix.SYS_UNSHARE}, {Number: unix.SYS_USERFAULTFD},
	openSocket(unix.AF_ALG), openSocket(unix.AF_VSOCK), openSocket(unix.AF_PACKET),
}

// unprivilegedOrder is what such a process probes, and what it is to find.
type unprivilegedOrder struct {
	URL  string
	Want unprivileged
}

// The experiments that find who resets work for a user who is not root, has no capability and is confined as in a
// container.
func TestNetnsUnprivileged(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		for _, row := range []struct {
			name  string
			fault netlab.Fault
			want  unprivileged
		}{
			{"the application aborts", netlab.Aborts(f), unprivileged{result.EndHost, ""}},
			{"r2 resets the request", netlab.RequestReset(f, netlab.R2), unprivileged{result.Middlebox, ""}},
			{"own firewall resets the request", netlab.OwnRequestReset(f), unprivileged{result.ThisHost, ""}},
			{"r2 resets the SYN", netlab.SYNReset(f, netlab.R2), unprivileged{result.Ambiguous, result.Farther}},
		} {
			t.Run(f.String()+" "+row.name, func(t *testing.T) {
				t.Parallel()
				n := netlab.New(t)
				order, err := json.Marshal(unprivilegedOrder{row.fault(n), row.want})
				if err != nil {
					t.Fatal(err)
				}
				child := n.Command(netlab.C, binary, "-test.run=^TestUnprivilegedChild$", "-test.v")
				child.Env = append(os.Environ(), unprivilegedVariable+"="+string(order))
				if out, err := child.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
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
		deny(&deniedOrder{Errno: unix.EPERM, Deny: containerDenied})} {
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
	m := labModule()
	m.Timeout = 3 * time.Second
	got := measured(t, prober.New(prober.Options{}), order.URL, m)
	if diff := cmp.Diff(order.Want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

//go:build amd64 || arm64

package prober_test

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/sandbox"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// How a sandbox is imitated: the test's binary is run again, installs a filter of system calls (seccomp(2)) and probes
// servers of its parent. Calls fail that only gather evidence or tune a socket; the probe's outcome must be the same.

// deniedVariable holds the order of such a process, in JSON.
const deniedVariable = "ERRNO_EXPORTER_DENIED"

// evidence are all the calls that are not needed, those of tomorrow too: every option, every ioctl, recvmsg with its
// control messages.
var evidenceCalls = []sandbox.Call{{Number: unix.SYS_SETSOCKOPT}, {Number: unix.SYS_GETSOCKOPT},
	{Number: unix.SYS_IOCTL}, {Number: unix.SYS_RECVMSG},
	sandbox.OpenSocket(unix.AF_PACKET), sandbox.OpenSocket(unix.AF_NETLINK)}

// denials are the sandboxes.
var denials = []struct {
	name  string
	errno syscall.Errno
	deny  []sandbox.Call
}{
	{"nothing", unix.EPERM, nil},
	{"all evidence, EPERM", unix.EPERM, evidenceCalls},
	{"all evidence, ENOSYS", unix.ENOSYS, evidenceCalls},
	{"all evidence, ENOPROTOOPT", unix.ENOPROTOOPT, evidenceCalls},
	{"all evidence, EINVAL", unix.EINVAL, evidenceCalls},
	{"TCP_INFO", unix.EPERM, []sandbox.Call{sandbox.GetOption(unix.IPPROTO_TCP, unix.TCP_INFO)}},
	{"SO_ERROR", unix.EPERM, []sandbox.Call{sandbox.GetOption(unix.SOL_SOCKET, unix.SO_ERROR)}},
	{"TCP_INFO and SO_ERROR", unix.EPERM, []sandbox.Call{sandbox.GetOption(unix.IPPROTO_TCP, unix.TCP_INFO),
		sandbox.GetOption(unix.SOL_SOCKET, unix.SO_ERROR)}},
	{"SO_MEMINFO", unix.EPERM, []sandbox.Call{sandbox.GetOption(unix.SOL_SOCKET, unix.SO_MEMINFO)}},
	{"getsockopt", unix.EPERM, []sandbox.Call{{Number: unix.SYS_GETSOCKOPT}}},
	{"SO_TIMESTAMPING", unix.EPERM, []sandbox.Call{sandbox.SetOption(unix.SOL_SOCKET, unix.SO_TIMESTAMPING)}},
	{"SO_KEEPALIVE", unix.EPERM, []sandbox.Call{sandbox.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE)}},
	{"TCP_NODELAY", unix.EPERM, []sandbox.Call{sandbox.SetOption(unix.IPPROTO_TCP, unix.TCP_NODELAY)}},
	{"IP_RECVERR", unix.EPERM, []sandbox.Call{sandbox.SetOption(unix.IPPROTO_IP, unix.IP_RECVERR),
		sandbox.SetOption(unix.IPPROTO_IPV6, unix.IPV6_RECVERR)}},
	{"setsockopt", unix.EPERM, []sandbox.Call{{Number: unix.SYS_SETSOCKOPT}}},
	{"recvmsg", unix.EPERM, []sandbox.Call{{Number: unix.SYS_RECVMSG}}},
	{"the error queue", unix.EPERM, []sandbox.Call{{Number: unix.SYS_RECVMSG,
		Args: map[uint32]uint32{2: unix.MSG_ERRQUEUE | unix.MSG_DONTWAIT}}}},
	{"ioctl", unix.EPERM, []sandbox.Call{{Number: unix.SYS_IOCTL}}},
	{"packet sockets", unix.EPERM, []sandbox.Call{sandbox.OpenSocket(unix.AF_PACKET)}},
	{"netlink", unix.EPERM, []sandbox.Call{sandbox.OpenSocket(unix.AF_NETLINK)}},
}

// deniedVisit is one target, and what becomes of it.
type deniedVisit struct {
	Name, URL string
	HTTP3     bool
	Timeout   time.Duration
	Phase     result.Phase
	Reason    result.Reason
}

// deniedOrder is what such a process is to do.
type deniedOrder struct {
	Errno  syscall.Errno
	Deny   []sandbox.Call
	Roots  []byte
	Visits []deniedVisit
}

// Evidence is never a precondition: whatever of it the kernel refuses, healthy targets succeed, and failures keep their
// phase and reason.
func TestEvidenceIsNoPrecondition(t *testing.T) {
	plain, quick := 5*time.Second, 700*time.Millisecond
	visits := []deniedVisit{
		{"HTTP", faultlab.Handler(t, faultlab.Healthy), false, plain, "", ""},
		{"HTTPS", faultlab.TLSHandler(t, faultlab.Healthy, "http/1.1"), false, plain, "", ""},
		{"HTTP/2", faultlab.TLSHandler(t, faultlab.Healthy, "h2"), false, plain, "", ""},
		{"HTTP/3", faultlab.HTTP3Handler(t, faultlab.Healthy), true, plain, "", ""},
		{"nothing listens", faultlab.ClosedPort(t), false, plain, result.Connect, result.TCPRefused},
		{"accept queue full", faultlab.NeverAccepts(t), false, quick, result.Connect, result.TCPTimedOut},
		{"RST after the request", faultlab.ResetAfterRequest(t), false, plain, result.Processing, result.TCPReset},
		{"FIN after the request", faultlab.FinAfterRequest(t), false, plain, result.Processing, result.TCPClosed},
		{"silence", faultlab.Silent(t), false, quick, result.Processing, result.HTTPResponseTimedOut},
		{"RST in a body", faultlab.ResetMidBody(t), false, plain, result.Transfer, result.TCPReset},
		{"expired certificate", faultlab.ExpiredCertificate(t), false, plain, result.TLS, result.TLSCertDateInvalid},
		{"HTTP/3, expired certificate", faultlab.HTTP3ExpiredCertificate(t), true, plain, result.TLS,
			result.TLSCertDateInvalid},
	}
	for _, row := range denials {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			order, err := json.Marshal(deniedOrder{row.errno, row.deny, faultlab.RootsPEM(), visits})
			if err != nil {
				t.Fatal(err)
			}
			child := exec.Command("/proc/self/exe", "-test.run=^TestDeniedChild$", "-test.v")
			child.Env = append(os.Environ(), deniedVariable+"="+string(order))
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestDeniedChild is the process that is denied calls.
func TestDeniedChild(t *testing.T) {
	text, ordered := os.LookupEnv(deniedVariable)
	if !ordered {
		t.Skip("started by TestEvidenceIsNoPrecondition only")
	}
	var order deniedOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(order.Roots)
	if err := sandbox.Deny(order.Errno, order.Deny...); err != nil {
		t.Fatal(err)
	}
	p := prober.New(prober.Options{UserAgent: "seccomp test"})
	for _, v := range order.Visits {
		m := labModule()
		m.TLS.RootCAs, m.Timeout = roots, v.Timeout
		if v.HTTP3 {
			overHTTP3(m)
		}
		r := probe(t, p, v.URL, m)
		var got result.Failure
		if r.Failure != nil {
			got = *r.Failure
		}
		if got.Phase != v.Phase || got.Reason != v.Reason {
			t.Errorf("%s: %s %s (%v) after %s, want %s %s", v.Name, got.Phase, got.Reason, got.Err, r.Elapsed, v.Phase,
				v.Reason)
		}
	}
}

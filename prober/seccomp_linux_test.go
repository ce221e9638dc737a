//go:build amd64 || arm64

package prober_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// How a sandbox is imitated: the test's binary is run again, installs a filter of system calls (seccomp(2)) and probes
// servers of its parent. Calls fail that only gather evidence or tune a socket; the probe's outcome must be the same.

// deniedVariable holds the order of such a process, in JSON.
const deniedVariable = "ERRNO_EXPORTER_DENIED"

// call is a system call, by its number and the values of some of its arguments.
type call struct {
	Number uint32
	Args   map[uint32]uint32 // by index
}

func setOption(level, option uint32) call {
	return call{unix.SYS_SETSOCKOPT, map[uint32]uint32{1: level, 2: option}}
}

func getOption(level, option uint32) call {
	return call{unix.SYS_GETSOCKOPT, map[uint32]uint32{1: level, 2: option}}
}

func openSocket(family uint32) call { return call{unix.SYS_SOCKET, map[uint32]uint32{0: family}} }

// needed are the options without which package net makes no socket; the prober needs none.
var needed = []call{setOption(unix.SOL_SOCKET, unix.SO_BROADCAST), setOption(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)}

// evidence are all the calls that are not needed, those of tomorrow too: every option, every ioctl, recvmsg with its
// control messages.
var evidenceCalls = []call{{Number: unix.SYS_SETSOCKOPT}, {Number: unix.SYS_GETSOCKOPT}, {Number: unix.SYS_IOCTL},
	{Number: unix.SYS_RECVMSG},
	openSocket(unix.AF_PACKET), openSocket(unix.AF_NETLINK)}

// denials are the sandboxes.
var denials = []struct {
	name  string
	errno syscall.Errno
	deny  []call
}{
	{"nothing", unix.EPERM, nil},
	{"all evidence, EPERM", unix.EPERM, evidenceCalls},
	{"all evidence, ENOSYS", unix.ENOSYS, evidenceCalls},
	{"all evidence, ENOPROTOOPT", unix.ENOPROTOOPT, evidenceCalls},
	{"all evidence, EINVAL", unix.EINVAL, evidenceCalls},
	{"TCP_INFO", unix.EPERM, []call{getOption(unix.IPPROTO_TCP, unix.TCP_INFO)}},
	{"SO_ERROR", unix.EPERM, []call{getOption(unix.SOL_SOCKET, unix.SO_ERROR)}},
	{"TCP_INFO and SO_ERROR", unix.EPERM, []call{getOption(unix.IPPROTO_TCP, unix.TCP_INFO),
		getOption(unix.SOL_SOCKET, unix.SO_ERROR)}},
	{"SO_MEMINFO", unix.EPERM, []call{getOption(unix.SOL_SOCKET, unix.SO_MEMINFO)}},
	{"getsockopt", unix.EPERM, []call{{Number: unix.SYS_GETSOCKOPT}}},
	{"SO_TIMESTAMPING", unix.EPERM, []call{setOption(unix.SOL_SOCKET, unix.SO_TIMESTAMPING)}},
	{"SO_KEEPALIVE", unix.EPERM, []call{setOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE)}},
	{"TCP_NODELAY", unix.EPERM, []call{setOption(unix.IPPROTO_TCP, unix.TCP_NODELAY)}},
	{"IP_RECVERR", unix.EPERM, []call{setOption(unix.IPPROTO_IP, unix.IP_RECVERR),
		setOption(unix.IPPROTO_IPV6, unix.IPV6_RECVERR)}},
	{"setsockopt", unix.EPERM, []call{{Number: unix.SYS_SETSOCKOPT}}},
	{"recvmsg", unix.EPERM, []call{{Number: unix.SYS_RECVMSG}}},
	{"the error queue", unix.EPERM, []call{{unix.SYS_RECVMSG,
		map[uint32]uint32{2: unix.MSG_ERRQUEUE | unix.MSG_DONTWAIT}}}},
	{"ioctl", unix.EPERM, []call{{Number: unix.SYS_IOCTL}}},
	{"packet sockets", unix.EPERM, []call{openSocket(unix.AF_PACKET)}},
	{"netlink", unix.EPERM, []call{openSocket(unix.AF_NETLINK)}},
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
	Deny   []call
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
	if err := deny(&order); err != nil {
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

// deny has the kernel refuse calls of all threads from here on.
func deny(order *deniedOrder) error {
	var program []bpf.Instruction
	for _, c := range needed {
		program = append(program, match(c, 0x7fff0000)...) // SECCOMP_RET_ALLOW
	}
	for _, c := range order.Deny {
		program = append(program, match(c, 0x00050000|uint32(order.Errno))...) // SECCOMP_RET_ERRNO
	}
	raw, err := bpf.Assemble(append(program, bpf.RetConstant{Val: 0x7fff0000}))
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	runtime.LockOSThread() // the first call is about its thread, and the second fails on another
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	installed := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&installed)))
	if errno != 0 {
		return fmt.Errorf("install a filter of system calls: %w", errno)
	}
	return nil
}

// match returns a value for a call, and goes on for others. The filter reads a struct seccomp_data: the call's number,
// and from byte 16 on its arguments of 64 bits, of which the lower half is compared.
func match(c call, verdict uint32) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Val: c.Number, SkipFalse: uint8(2*len(c.Args) + 1)}}
	left := len(c.Args)
	for i, value := range c.Args {
		left--
		program = append(program, bpf.LoadAbsolute{Off: 16 + 8*i, Size: 4},
			bpf.JumpIf{Val: value, SkipFalse: uint8(2*left + 1)})
	}
	return append(program, bpf.RetConstant{Val: verdict})
}

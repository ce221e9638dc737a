package prober_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// What changes in a running container: /etc/resolv.conf, /etc/hosts, and whether there is IPv6. Go's resolver reads the
// two files again when it has not looked at them for 5 s (net/dnsclient_unix.go, net/hosts.go), so each change is in
// force after that time, without a reload.

// runtimeVariable says that the process is the one in namespaces of its own.
const runtimeVariable = "ERRNO_EXPORTER_RUNTIME_CHANGES"

func TestRuntimeChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode makes no namespaces")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Parallel() // the child has a network and an /etc of its own
	command := exec.Command(os.Args[0], "-test.run=^TestRuntimeChangesChild$", "-test.v", "-test.timeout=90s")
	command.Env = append(os.Environ(), runtimeVariable+"=1")
	// mounts are private with it
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Unshareflags: syscall.CLONE_NEWNS}
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// TestRuntimeChangesChild is the process in the namespaces. It tests nothing by itself.
func TestRuntimeChangesChild(t *testing.T) {
	if os.Getenv(runtimeVariable) == "" {
		t.Skip("started by TestRuntimeChanges only")
	}
	if err := unix.Mount("tmpfs", "/etc", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	loopbackUp(t)
	first, second := netip.MustParseAddr("127.0.1.1"), netip.MustParseAddr("127.0.1.2")
	serveNames(t, "127.0.0.53:53", first, netip.IPv6Loopback())
	serveNames(t, "127.0.0.54:53", second)
	put(t, "nsswitch.conf", "hosts: files dns\n")
	put(t, "hosts", "127.0.0.1 localhost\n")
	put(t, "resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
	for _, row := range []struct {
		name   string
		change func()
		want   sighted
	}{
		{"at the beginning", func() {}, sighted{"tcp.refused", "127.0.1.1"}},
		{"another name server", func() {
			put(t, "resolv.conf",
				"nameserver 127.0.0.54\noptions timeout:1 attempts:1\n")
		}, sighted{"tcp.refused", "127.0.1.2"}},
		{"the hosts file has the name", func() { put(t, "hosts", "127.0.0.1 localhost\n127.0.1.3 api.test\n") },
			sighted{"tcp.refused", "127.0.1.3"}},
		{"it has it no more", func() { put(t, "hosts", "127.0.0.1 localhost\n") }, sighted{"tcp.refused", "127.0.1.2"}},
		{"a name server that does not listen", func() {
			put(t, "resolv.conf",
				"nameserver 127.0.0.55\noptions timeout:1 attempts:1\n")
		}, sighted{"dns.unreachable", ""}},
		{"resolv.conf is gone: the default, this host", func() { remove(t, "resolv.conf") },
			sighted{"dns.unreachable", ""}},
		{"resolv.conf is nonsense", func() { put(t, "resolv.conf", "\x00nameserver\nnameserver not-an-address\n") },
			sighted{"dns.unreachable", ""}},
		{"it is back", func() { put(t, "resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n") },
			sighted{"tcp.refused", "127.0.1.1"}},
	} {
		row.change()
		if got := sightUntil(t, row.want); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	for _, row := range []struct{ off, want string }{{"0", "tcp.refused ::1"}, {"1", "local.no_route ::1"},
		{"0", "tcp.refused ::1"}} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte(row.off), 0); err != nil {
			t.Skip(err) // a container whose /proc/sys is read-only
		}
		if got := sight(t, prefer6); got.reason+" "+got.dialled != row.want {
			t.Errorf("disable_ipv6 %s: %v, want %s", row.off, got, row.want)
		}
		overQUIC := strings.Replace(row.want, "tcp.", "quic.", 1)
		if got := sight(t, http3Over6); got.reason+" "+got.dialled != overQUIC {
			t.Errorf("disable_ipv6 %s: over HTTP/3 %v, want %s", row.off, got, overQUIC)
		}
	}
}

// sighted is what a probe of api.test found.
type sighted struct{ reason, dialled string }

func prefer6(m *module.Module) { m.PreferIPv6 = true }

func http3Over6(m *module.Module) {
	prefer6(m)
	overHTTP3(m)
}

// sight probes by TCP or, over HTTP/3, by UDP: nothing listens on either port.
func sight(t *testing.T, change func(*module.Module)) sighted {
	t.Helper()
	m := labModule()
	change(m)
	target := "http://api.test:1/"
	if m.EnableHTTP3 {
		target = "https://api.test:1/"
	}
	r := probe(t, prober.New(prober.Options{}), target, m)
	got := sighted{reason: "none"}
	if r.Failure != nil {
		got.reason = string(r.Failure.Reason)
	}
	if addr := r.Last().LastHop().Addr.Addr(); addr.IsValid() {
		got.dialled = addr.String()
	}
	return got
}

// sightUntil probes until the probe finds what is wanted, for as long as Go's resolver may go by what it has read, and
// returns the last.
func sightUntil(t *testing.T, want sighted) sighted {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	for {
		got := sight(t, asIs)
		if got == want {
			return got
		}
		select {
		case <-ctx.Done():
			return got
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// put replaces a file of /etc as editors and container runtimes do: whole. Its time of modification, by which Go's
// resolver sees a change, is a second later than the file's before: two changes within one tick of the kernel's clock
// would have the same.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile("/etc/."+name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if before, err := os.Stat("/etc/" + name); err == nil {
		if err := os.Chtimes("/etc/."+name, time.Time{}, before.ModTime().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename("/etc/."+name, "/etc/"+name); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove("/etc/" + name); err != nil {
		t.Fatal(err)
	}
}

// serveNames answers every question with the addresses that are of its family.
func serveNames(t *testing.T, address string, addrs ...netip.Addr) {
	t.Helper()
	socket, err := net.ListenPacket("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			// the client may be gone
			_, _ = socket.WriteTo(faultlab.DNSReply(buffer[:n], func(*dnsmessage.Message) {}, addrs...), from)
		}
	}()
	t.Cleanup(func() {
		_ = socket.Close() // ends the reading
		<-done
	})
}

// loopbackUp brings up the loopback interface of a new network namespace.
func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}

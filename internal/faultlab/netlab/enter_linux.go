package netlab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inside calls f on an OS thread that is in the node's namespace. Sockets that f opens stay in it when f has returned.
// Only f's own goroutine is there: what f starts is not. The thread is thrown away.
func (n *Net) Inside(at Node, f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		failed <- enter(n.names[at], f)
	}()
	return <-failed
}

func enter(name string, f func() error) error {
	namespace, err := os.Open(filepath.Join("/run/netns", name))
	if err != nil {
		return fmt.Errorf("open namespace: %w", err)
	}
	defer namespace.Close()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %q: %w", name, err)
	}
	return f()
}

// Sysctl sets a kernel parameter of a node's network: Sysctl(C, "net.ipv4.ip_local_port_range", "40000 40009").
func (n *Net) Sysctl(at Node, key, value string) {
	n.host.Helper()
	path := filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
	if err := n.Inside(at, func() error { return os.WriteFile(path, []byte(value), 0o644) }); err != nil {
		n.host.Fatalf("set %s to %q on %s: %v", key, value, at, err)
	}
}

// Listen listens on a node until the test ends.
func (n *Net) Listen(at Node, network, addr string) net.Listener {
	n.host.Helper()
	var listener net.Listener
	err := n.Inside(at, func() (err error) {
		var plain net.ListenConfig
		plain.SetMultipathTCP(false) // as most servers are; net.Listen's own choice is MPTCP
		listener, err = plain.Listen(context.Background(), network, addr)
		return err
	})
	if err != nil {
		n.host.Fatalf("listen on %s of %s: %v", addr, at, err)
	}
	n.host.Cleanup(func() { _ = listener.Close() }) // a fault may have closed it
	return listener
}

// ListenPacket receives packets on a node until the test ends.
func (n *Net) ListenPacket(at Node, network, addr string) net.PacketConn {
	n.host.Helper()
	var conn net.PacketConn
	err := n.Inside(at, func() (err error) {
		conn, err = net.ListenPacket(network, addr)
		return err
	})
	if err != nil {
		n.host.Fatalf("listen on %s of %s: %v", addr, at, err)
	}
	n.host.Cleanup(func() { _ = conn.Close() }) // a fault may have closed it
	return conn
}

// Dial connects from a node. The address is a literal one, so that the socket is made on the thread that is on the
// node.
func (n *Net) Dial(ctx context.Context, at Node, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := n.Inside(at, func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// hold connects from c to the server and keeps the connection until the test ends.
func (n *Net) hold(server netip.Addr) {
	n.host.Helper()
	addr := netip.AddrPortFrom(server, port).String()
	conn, err := n.Dial(context.Background(), C, "tcp", addr)
	if err != nil {
		n.host.Fatalf("connect to %s: %v", addr, err)
	}
	n.host.Cleanup(func() { _ = conn.Close() }) // nothing was written that could be lost
}

// setInt sets an integer socket option.
func setInt(conn syscall.Conn, level, option, value int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("set socket option: %w", err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), level, option, value) }); err != nil {
		return fmt.Errorf("set socket option: %w", err)
	}
	return failed
}

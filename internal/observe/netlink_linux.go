package observe

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The multicast groups of sock_diag(7) (enum sknetlink_groups of linux/sock_diag.h).
const (
	groupTCPDestroyed  = 1 // SKNLGRP_INET_TCP_DESTROY
	groupTCP6Destroyed = 3 // SKNLGRP_INET6_TCP_DESTROY

	eventBuffer  = 32 << 20 // bytes of the kernel, for ends that were not read yet; what net.core.rmem_max allows
	readBuffer   = 128 << 10
	dumpDeadline = 5 * time.Second
)

// netlink is a socket of NETLINK_SOCK_DIAG. It is none of the runtime's poller, which would wake a thread for every
// message that comes: what is asked is answered at once, and ends are read at intervals.
type netlink struct {
	fd     int
	buffer []byte
}

// openNetlink opens one in the network namespace of the calling thread.
func openNetlink() (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("open a socket of NETLINK_SOCK_DIAG", err)
	}
	n := &netlink{fd: fd, buffer: make([]byte, readBuffer)}
	deadline := unix.NsecToTimeval(dumpDeadline.Nanoseconds())
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err == nil {
			err = os.NewSyscallError("limit the waiting of a socket of NETLINK_SOCK_DIAG",
				unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &deadline))
		}
	}
	if err == nil {
		err = os.NewSyscallError("bind a socket of NETLINK_SOCK_DIAG",
			unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *netlink) close() { _ = unix.Close(n.fd) } // nothing was written that could be lost

// subscribe makes the socket receive a message for each TCP socket of the namespace that is destroyed. When its buffer
// is full, messages are counted and dropped, one by one (NETLINK_NO_ENOBUFS, netlink(7)): otherwise the kernel would
// drop all of them until the buffer is empty.
func (n *netlink) subscribe() error {
	if unix.SetsockoptInt(n.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, eventBuffer) != nil {
		_ = unix.SetsockoptInt(n.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, eventBuffer) // as much as is allowed
	}
	_ = unix.SetsockoptInt(n.fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1) // before Linux 2.6.30
	for _, group := range []int{groupTCPDestroyed, groupTCP6Destroyed} {
		if err := unix.SetsockoptInt(n.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group); err != nil {
			return os.NewSyscallError("join the multicast group of destroyed sockets", err)
		}
	}
	return os.NewSyscallError("make the socket of destroyed sockets not wait", unix.SetNonblock(n.fd, true))
}

// write sends a request.
func (n *netlink) write(request []byte) error {
	_, err := ignoringEINTR(func() (int, error) { return unix.Write(n.fd, request) })
	return os.NewSyscallError("write to sock_diag", err)
}

// read waits for a datagram, at most until the deadline; one that has subscribed does not wait.
func (n *netlink) read() ([]byte, error) {
	size, err := ignoringEINTR(func() (int, error) { return unix.Read(n.fd, n.buffer) })
	if err != nil {
		return nil, os.NewSyscallError("read from sock_diag", err)
	}
	return n.buffer[:size], nil
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}

// ask sends a request and calls each with every message of the answer. It waits at most until the deadline.
func (n *netlink) ask(request []byte, each func(body []byte)) error {
	if err := n.write(request); err != nil {
		return err
	}
	for done := false; !done; {
		datagram, err := n.read()
		if err != nil {
			return err
		}
		var failed error
		messages(datagram, func(kind uint16, body []byte) {
			switch kind {
			case typeSocket:
				each(body)
			case typeDone:
				done = true
			case typeError:
				done, failed = true, answered(body)
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

// askOne is the state of the one socket that a request names; 0 if there is none.
func (n *netlink) askOne(request []byte) (found state) {
	if n.write(request) != nil {
		return 0
	}
	datagram, err := n.read() // a socket, or ENOENT
	if err != nil {
		return 0
	}
	messages(datagram, func(kind uint16, body []byte) {
		var s sighting
		if kind == typeSocket && parseSocket(body, &s) {
			found = s.state
		}
	})
	return found
}

// drain calls each with the datagrams that are there, at most so many, and does not wait for more.
func (n *netlink) drain(most int, each func(datagram []byte)) {
	for range most {
		datagram, err := n.read()
		if err != nil || len(datagram) == 0 {
			return
		}
		each(datagram)
	}
}

// answered is the error of a struct nlmsgerr, nil for none.
func answered(body []byte) error {
	if len(body) < 4 {
		return fmt.Errorf("a truncated answer of the kernel: %d bytes", len(body))
	}
	if errno := -int32(binary.NativeEndian.Uint32(body)); errno != 0 {
		return os.NewSyscallError("sock_diag", syscall.Errno(errno))
	}
	return nil
}

// dropped is how many messages the kernel could not put into the socket's full buffer: SK_MEMINFO_DROPS, the last
// number of SO_MEMINFO (linux/sock_diag.h).
func (n *netlink) dropped() uint64 { // Linux 4.12
	// nine numbers of 32 bits, read as a structure that has the ninth one at the same place
	numbers, err := unix.GetsockoptTCPInfo(n.fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
	if err != nil {
		return 0
	}
	return uint64(numbers.Lost)
}

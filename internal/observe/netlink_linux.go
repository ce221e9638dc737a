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

// netlink is a socket of NETLINK_SOCK_DIAG.
type netlink struct {
	file   *os.File
	raw    syscall.RawConn
	buffer []byte
}

// openNetlink opens one in the network namespace of the calling thread.
func openNetlink() (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK,
		unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("open a socket of NETLINK_SOCK_DIAG", err)
	}
	n := &netlink{file: os.NewFile(uintptr(fd), "sock_diag"), buffer: make([]byte, readBuffer)}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = n.file.Close() // it was never used
		return nil, os.NewSyscallError("bind a socket of NETLINK_SOCK_DIAG", err)
	}
	n.raw, err = n.file.SyscallConn()
	return n, err
}

// subscribe makes the socket receive a message for each TCP socket of the namespace that is destroyed. When its buffer
// is full, messages are counted and dropped, one by one (NETLINK_NO_ENOBUFS, netlink(7)): otherwise the kernel would
// drop all of them until the buffer is empty.
func (n *netlink) subscribe() error {
	return n.control(func(fd int) error {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, eventBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, eventBuffer) // as much as is allowed
		}
		_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1) // before Linux 2.6.30
		for _, group := range []int{groupTCPDestroyed, groupTCP6Destroyed} {
			if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group); err != nil {
				return os.NewSyscallError("join the multicast group of destroyed sockets", err)
			}
		}
		return nil
	})
}

func (n *netlink) control(f func(fd int) error) error {
	var failed error
	if err := n.raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// ask sends a request and calls each with every message of the answer. It waits at most until the deadline.
func (n *netlink) ask(request []byte, each func(body []byte)) error {
	if err := n.file.SetDeadline(time.Now().Add(dumpDeadline)); err != nil {
		return err
	}
	if _, err := n.file.Write(request); err != nil {
		return err
	}
	for done := false; !done; {
		size, err := n.file.Read(n.buffer)
		if err != nil {
			return err
		}
		var failed error
		messages(n.buffer[:size], func(kind uint16, body []byte) {
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
	if n.file.SetDeadline(time.Now().Add(dumpDeadline)) != nil {
		return 0
	}
	if _, err := n.file.Write(request); err != nil {
		return 0
	}
	size, err := n.file.Read(n.buffer) // a socket, or ENOENT
	if err != nil {
		return 0
	}
	messages(n.buffer[:size], func(kind uint16, body []byte) {
		var s sighting
		if kind == typeSocket && parseSocket(body, &s) {
			found = s.state
		}
	})
	return found
}

// readable waits until there is something to read, or the deadline; it reports false after that.
func (n *netlink) readable() bool {
	ready := false
	err := n.raw.Read(func(fd uintptr) bool {
		var none [1]byte
		_, _, errno := unix.Recvfrom(int(fd), none[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		ready = errno != unix.EAGAIN
		return ready
	})
	return err == nil && ready
}

// drain calls each with the datagrams that are there, at most so many, and does not wait for more.
func (n *netlink) drain(most int, each func(datagram []byte)) {
	_ = n.control(func(fd int) error {
		for range most {
			size, err := unix.Read(fd, n.buffer)
			if err != nil || size <= 0 {
				return err
			}
			each(n.buffer[:size])
		}
		return nil
	})
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
func (n *netlink) dropped() uint64 {
	var count uint64
	_ = n.control(func(fd int) error { // Linux 4.12
		// nine numbers of 32 bits, read as a structure that has the ninth one at the same place
		numbers, err := unix.GetsockoptTCPInfo(fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
		if err == nil {
			count = uint64(numbers.Lost)
		}
		return err
	})
	return count
}

package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readBuffer   = 128 << 10
	dumpDeadline = 5 * time.Second
)

// netlink is a socket of NETLINK_SOCK_DIAG that is asked. It is none of the runtime's poller: what is asked is answered
// at once.
type netlink struct {
	fd       int
	buffer   []byte
	sequence uint32 // of the last request
	behind   bool   // whether there may be messages left of a request before
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

// write sends a request, with a sequence number of its own: the kernel answers with the same (netlink(7)).
func (n *netlink) write(request []byte) error {
	if n.behind {
		n.skip()
	}
	n.sequence++
	n.behind = true
	binary.NativeEndian.PutUint32(request[8:], n.sequence)
	_, err := ignoringEINTR(func() (int, error) { return unix.Write(n.fd, request) })
	return os.NewSyscallError("write to sock_diag", err)
}

// skip reads what is left of the answer to a request before, which was given up: the kernel refuses another dump until
// the last one is read (EBUSY).
func (n *netlink) skip() {
	for until := time.Now().Add(dumpDeadline); time.Now().Before(until); {
		_, _, err := unix.Recvfrom(n.fd, n.buffer, unix.MSG_DONTWAIT)
		if err != nil && err != unix.EINTR {
			return
		}
	}
}

// read waits for a datagram, at most until the deadline.
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

// errInterrupted is a dump that may have missed sockets (NLM_F_DUMP_INTR of linux/netlink.h).
var errInterrupted = errors.New("the kernel's list of sockets changed while it was read")

// ask sends a request and calls each with every message of the answer. It waits at most until the deadline.
func (n *netlink) ask(request []byte, each func(body []byte)) error {
	if err := n.write(request); err != nil {
		return err
	}
	var failed error
	for done := false; !done; {
		datagram, err := n.read()
		if err != nil {
			return err
		}
		messages(datagram, func(h header, body []byte) {
			if h.sequence != n.sequence || done {
				return
			}
			if h.flags&flagInterrupted != 0 && failed == nil {
				failed = errInterrupted
			}
			switch h.kind {
			case typeSocket, typeAnySocket:
				each(body)
			case typeDone:
				done = true
			case typeError:
				done, failed = true, answered(body)
			}
		})
	}
	n.behind = false
	return failed
}

// askOne is the state of the one socket that a request names; 0 if there is none.
func (n *netlink) askOne(request []byte) (found state) {
	if n.write(request) != nil {
		return 0
	}
	for done := false; !done; {
		datagram, err := n.read() // a socket, or ENOENT
		if err != nil {
			return 0
		}
		messages(datagram, func(h header, body []byte) {
			if h.sequence != n.sequence {
				return
			}
			done = true
			var s sighting
			if h.kind == typeSocket && parseSocket(body, &s) {
				found = s.state
			}
		})
	}
	n.behind = false
	return found
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

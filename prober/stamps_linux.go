package prober

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel notes when a packet arrives, whenever the goroutine that waits for it gets to run (Documentation/networking/timestamping.rst). So
// reads are made by recvmsg(2), which hands out that time beside the bytes.
//
//   - Of what one call reads the kernel tells the arrival of the last packet. The first byte of an answer is therefore looked at (MSG_PEEK)
//     before it is read.
//   - When the request left, and when it was acknowledged, comes back on the socket's error queue. It is asked for only where the request is small, so that the
//     socket is writable when it comes: an event that is an error and nothing else would be taken for a broken socket by Go's poller.

const (
	arrivals         = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE
	acknowledgements = arrivals | unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_TX_ACK | unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
)

// stampHolder keeps the kernel noting arrivals: switched on and off with each probe it would patch its own code each time, and miss the
// first packets.
func stampHolder() *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, arrivals) // without it times are the clock's
	return os.NewFile(uintptr(fd), "timestamps")
}

// stamps reads a connection with the kernel's times.
type stamps struct {
	raw    syscall.RawConn
	header unix.Msghdr
	vector unix.Iovec
	oob    [96]byte // a struct scm_timestamping with its header is 64
	flags  int
	n      int
	errno  syscall.Errno
	try    func(fd uintptr) bool // made once: a closure for each read would be garbage
}

func newStamps(raw syscall.RawConn) *stamps {
	s := &stamps{raw: raw}
	s.try = s.receive
	return s
}

// stampArrivals switches the kernel's times on; it reports false where there are none.
func stampArrivals(fd int) bool {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, arrivals) == nil
}

// receive is one try to read; it is false while nothing is there.
func (s *stamps) receive(fd uintptr) bool {
	for {
		s.header.Control = &s.oob[0]
		s.header.SetControllen(len(s.oob))
		n, _, errno := syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&s.header)), uintptr(s.flags))
		if errno == unix.EINTR {
			continue
		}
		s.n, s.errno = int(n), errno
		return errno != unix.EAGAIN
	}
}

// read reads, and returns when the last of it arrived; the zero time where the kernel does not tell. conn is for the error's words.
func (s *stamps) read(conn net.Conn, p []byte, flags int) (int, time.Time, error) {
	if len(p) == 0 {
		return 0, time.Time{}, nil
	}
	s.vector.Base = &p[0]
	s.vector.SetLen(len(p))
	s.header.Iov, s.flags = &s.vector, flags
	s.header.SetIovlen(1)
	err := s.raw.Read(s.try)
	s.vector.Base = nil
	switch {
	case err != nil:
		if raw, ok := err.(*net.OpError); ok {
			err = raw.Err
		}
	case s.errno != 0:
		err = os.NewSyscallError("read", s.errno)
	case s.n == 0:
		return 0, time.Time{}, io.EOF
	default:
		return s.n, arrival(s.oob[:s.header.Controllen]), nil
	}
	return 0, time.Time{}, &net.OpError{Op: "read", Net: conn.LocalAddr().Network(), Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: err}
}

// arrival finds the software timestamp among control messages (struct scm_timestamping, linux/errqueue.h).
func arrival(oob []byte) time.Time {
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		length := int(h.Len)
		if length < unix.SizeofCmsghdr || length > len(oob) {
			break
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPING && length >= unix.CmsgLen(16) {
			at := (*unix.Timespec)(unsafe.Pointer(&oob[unix.CmsgLen(0)]))
			if at.Sec != 0 {
				return time.Unix(at.Sec, at.Nsec)
			}
		}
		next := (length + 7) &^ 7
		if next >= len(oob) {
			break
		}
		oob = oob[next:]
	}
	return time.Time{}
}

// firstArrival is when the first byte that waits to be read arrived. It waits for one.
func (s *stamps) firstArrival(conn net.Conn) time.Time {
	var first [1]byte
	n, at, err := s.read(conn, first[:], unix.MSG_PEEK)
	if n == 0 || err != nil {
		return time.Time{} // the read that follows tells
	}
	return at
}

// stampRequest has the kernel note when what is written from here on is acknowledged.
func stampRequest(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { // where it fails there is no such time
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, acknowledgements)
	})
}

// readAcknowledgements reads what the error queue holds, appended to what was read before. The queue takes of the socket's memory, by which holes in
// the received data are known: it is emptied before that is looked at.
func readAcknowledgements(raw syscall.RawConn, acks []acknowledgement) []acknowledgement {
	_ = raw.Control(func(fd uintptr) { // fails only on a closed connection
		var oob [256]byte
		for len(acks) < maxAcknowledgements {
			_, n, _, _, err := unix.Recvmsg(int(fd), nil, oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if id, kind, ok := stampID(oob[:n]); ok {
				acks = append(acks, acknowledgement{id, arrival(oob[:n]), kind == stampSent})
			}
		}
	})
	return acks
}

// stampSent says that a timestamp is of the packet's leaving (linux/errqueue.h, SCM_TSTAMP_SND).
const stampSent = 0

// stampID finds the number of the byte that a timestamp is of, and its kind (sock_extended_err, ee_data and ee_info).
func stampID(oob []byte) (id, kind uint32, ok bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, 0, false
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if (v4 || v6) && len(m.Data) >= 16 && m.Data[4] == unix.SO_EE_ORIGIN_TIMESTAMPING {
			e := (*unix.SockExtendedErr)(unsafe.Pointer(&m.Data[0]))
			return e.Data, e.Info, true
		}
	}
	return 0, 0, false
}

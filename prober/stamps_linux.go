package prober

import (
	"io"
	"iter"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel notes when a packet arrives, whenever the goroutine that waits for it gets to run (Documentation/networking/timestamping.rst). So
// reads are made by recvmsg(2), which hands out that time beside the bytes.
//
//   - Of what one call reads the kernel tells the arrival of the last packet: the first byte of an answer arrived with it, or a moment before it in
//     the same burst.
//   - When the request left, and when it was acknowledged, comes back on the socket's error queue. It is asked for only where the request is small, so that the
//     socket is writable when it comes: an event that is an error and nothing else would be taken for a broken socket by Go's poller.
//   - Of a probe that is alone it is not asked for when its request left: the clock before the call tells the same to ten microseconds, and the
//     answer would wake a processor for nothing, which is a fourteenth of an HTTP probe. Among others threads wait for each other, and nothing sleeps that would
//     have to be woken.

const (
	arrivals         = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE
	acknowledgements = arrivals | unix.SOF_TIMESTAMPING_TX_ACK | unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
	departures       = acknowledgements | unix.SOF_TIMESTAMPING_TX_SOFTWARE
)

// stampHolder keeps the kernel noting arrivals: switched on and off with each probe it would patch its own code each time, and miss the
// first packets.
func stampHolder() *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	_ = setOption(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, arrivals) // without it times are the clock's
	return os.NewFile(uintptr(fd), "timestamps")
}

// stamps reads a connection with the kernel's times.
type stamps struct {
	socket *socket
	header unix.Msghdr
	vector unix.Iovec
	oob    [96]byte // a struct scm_timestamping with its header is 64
	n      int
	errno  syscall.Errno
	try    func(fd uintptr) bool // made once: a closure for each read would be garbage
}

func newStamps(socket *socket) *stamps {
	s := &stamps{socket: socket}
	s.try = s.receive
	return s
}

// stampArrivals switches the kernel's times on; it reports false where there are none.
func stampArrivals(fd int) bool {
	return setOption(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, arrivals) == nil
}

// receive is one try to read; it is false while nothing is there.
func (s *stamps) receive(fd uintptr) bool {
	s.header.Control = &s.oob[0]
	s.header.SetControllen(len(s.oob))
	s.n, s.errno = callReceive(fd, &s.header, 0)
	return s.errno != unix.EAGAIN
}

// read reads, and returns when the last of it arrived; the zero time where the kernel does not tell.
func (s *stamps) read(p []byte) (int, time.Time, error) {
	if len(p) == 0 {
		return 0, time.Time{}, nil
	}
	s.vector.Base = &p[0]
	s.vector.SetLen(len(p))
	s.header.Iov = &s.vector
	s.header.SetIovlen(1)
	err := s.socket.raw.Read(s.try)
	s.vector.Base = nil
	switch {
	case err != nil:
	case s.errno != 0:
		err = s.errno
	case s.n == 0:
		return 0, time.Time{}, io.EOF
	default:
		return s.n, arrival(s.oob[:s.header.Controllen]), nil
	}
	return 0, time.Time{}, s.socket.wrapped("read", err)
}

// arrival is when the last packet of what a call read came.
func arrival(oob []byte) time.Time {
	for h, data := range controlMessages(oob) {
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPING && len(data) >= 16 {
			return software(data)
		}
	}
	return time.Time{}
}

// stampRequest has the kernel note when what is written from here on is acknowledged, and among other probes when it leaves.
func stampRequest(raw syscall.RawConn, alone bool) {
	wanted := departures
	if alone {
		wanted = acknowledgements
	}
	_ = raw.Control(func(fd uintptr) { // where it fails there is no such time
		_ = setOption(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, wanted)
	})
}

// readQueue reads the error queue until the acknowledgement of a byte is there, or nothing more, and appends it to what was read before.
func (s *stamps) readQueue(acks []acknowledgement, last uint32) []acknowledgement {
	_ = s.socket.raw.Control(func(fd uintptr) { // fails only on a closed connection
		var header unix.Msghdr
		var oob [256]byte
		for len(acks) < maxAcknowledgements && !acknowledges(acks, last, false) {
			header.Control = &oob[0]
			header.SetControllen(len(oob))
			if _, errno := callReceive(fd, &header, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); errno != 0 {
				return
			}
			if ack, ok := parseStamp(oob[:header.Controllen]); ok {
				acks = append(acks, ack)
			}
		}
	})
	return acks
}

// stampSent says that a timestamp is of the packet's leaving (linux/errqueue.h, SCM_TSTAMP_SND).
const stampSent = 0

// parseStamp reads a timestamp from the error queue: its time, and of which byte it is (sock_extended_err, ee_data and ee_info).
func parseStamp(oob []byte) (ack acknowledgement, ok bool) {
	for h, data := range controlMessages(oob) {
		v4 := h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR
		v6 := h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR
		switch {
		case (v4 || v6) && len(data) >= 16 && data[4] == unix.SO_EE_ORIGIN_TIMESTAMPING:
			e := (*unix.SockExtendedErr)(unsafe.Pointer(&data[0]))
			ack.last, ack.sent, ok = e.Data, e.Info == stampSent, true
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPING && len(data) >= 16:
			ack.at = software(data)
		}
	}
	return ack, ok
}

// software is the software timestamp of a struct scm_timestamping; the zero time if there is none.
func software(data []byte) time.Time {
	at := (*unix.Timespec)(unsafe.Pointer(&data[0]))
	if at.Sec == 0 {
		return time.Time{}
	}
	return time.Unix(at.Sec, at.Nsec)
}

// controlMessages are the control messages of a call (cmsg(3)).
func controlMessages(oob []byte) iter.Seq2[*unix.Cmsghdr, []byte] {
	return func(yield func(*unix.Cmsghdr, []byte) bool) {
		for len(oob) >= unix.SizeofCmsghdr {
			h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
			length := int(h.Len)
			if length < unix.SizeofCmsghdr || length > len(oob) || !yield(h, oob[unix.CmsgLen(0):length]) {
				return
			}
			oob = oob[min(len(oob), (length+7)&^7):]
		}
	}
}

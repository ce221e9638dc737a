package socket

import (
	"encoding/binary"
	"io"
	"iter"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel notes when a packet arrives, whenever the goroutine that waits for it gets to run
// (Documentation/networking/timestamping.rst). So reads are made by recvmsg(2), which returns that time beside the
// bytes.
//
//   - Of what one call reads the kernel reports the arrival of the last packet: the first byte of a response arrived
//     with it, or a moment before it in the same burst.
//   - When the request was sent, and when it was acknowledged, is reported on the socket's error queue. It is requested
//     only where the request is small, so that the socket is writable when the report comes: an event that is an error
//     and nothing else would be taken for a broken socket by Go's poller.
//   - For a probe that runs alone the time of sending is not requested: the clock before the call gives the same to ten
//     microseconds, and the report would wake a CPU for nothing, which is a fourteenth of an HTTP probe. Among other
//     probes threads wait for each other, and no CPU sleeps that would have to be woken.

const (
	arrivals         = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE
	acknowledgements = arrivals | unix.SOF_TIMESTAMPING_TX_ACK | unix.SOF_TIMESTAMPING_OPT_ID |
		unix.SOF_TIMESTAMPING_OPT_TSONLY
	sendings = arrivals | unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_ID |
		unix.SOF_TIMESTAMPING_OPT_TSONLY
)

// HoldStamping keeps the kernel timestamping arrivals until the file is closed, or collected: switched on and off with
// each probe it would patch its own code each time, and miss the first packets. It returns nil where there is no socket
// for it.
func HoldStamping() *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	_ = setStamping(fd, arrivals) // without it times are the clock's
	return os.NewFile(uintptr(fd), "timestamps")
}

// setStamping requests timestamps. Those of the first kind hold the kernel's long, which has 32 bits on some systems
// and ends in 2038; the newer kind, since Linux 5.1, has 64 everywhere, and the other where a long has 64 is the same.
func setStamping(fd, flags int) error {
	option := unix.SO_TIMESTAMPING
	if strconv.IntSize == 32 {
		option = unix.SO_TIMESTAMPING_NEW
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, flags)
}

// stamps reads a connection with the kernel's timestamps.
type stamps struct {
	conn *tcpConn
	into []byte
	oob  [96]byte // a struct scm_timestamping with its header is 64
	n    int
	oobn int
	err  error
	try  func(fd uintptr) bool // made once: a closure for each read would be garbage

	lookout *Lookout // sees when something arrives; nil where nothing else runs that would look
	waiting *waiting // with it
	empty   time.Time
}

func newStamps(conn *tcpConn) *stamps {
	s := &stamps{conn: conn}
	s.try = s.receive
	return s
}

// stampArrivals switches the timestamps of arrivals on; it reports false where there are none.
func stampArrivals(fd int) bool {
	return setStamping(fd, arrivals) == nil
}

// stampDatagrams switches the timestamps of arrivals on; it reports false where there are none.
func stampDatagrams(conn *net.UDPConn) (stamped bool) {
	raw, err := conn.SyscallConn()
	return err == nil && raw.Control(func(fd uintptr) { stamped = stampArrivals(int(fd)) }) == nil && stamped
}

// watch has a lookout note when something arrives; nothing had at a time.
func (s *stamps) watch(l *Lookout, empty time.Time) {
	s.lookout, s.waiting = l, new(waiting)
	_ = s.conn.raw.Control(func(fd uintptr) { l.add(int(fd), s.waiting, empty) }) // fails only on a closed one
}

// forget ends that.
func (s *stamps) forget() {
	if s.lookout != nil {
		s.lookout.forget(s.waiting)
	}
}

// emptySince is until when there was nothing to read; the zero time where that is not known.
func (s *stamps) emptySince() time.Time {
	return s.empty
}

// receive is one try to read; it is false while there is nothing to read.
func (s *stamps) receive(fd uintptr) bool {
	var began time.Time
	if s.lookout != nil {
		s.lookout.Look()
		began = time.Now()
	}
	s.n, s.oobn, s.err = receiveNow(fd, s.into, s.oob[:], 0)
	switch s.err {
	case unix.EPERM, unix.ENOSYS, unix.EINVAL, unix.ENOPROTOOPT: // not of a connection: a sandbox refuses recvmsg(2)
		s.oobn = 0
		s.n, s.err = readNow(fd, s.into)
	}
	if s.lookout != nil {
		s.empty = s.lookout.emptySince(s.waiting)
		if s.err == unix.EAGAIN || s.n < len(s.into) {
			s.lookout.drained(s.waiting, began)
		}
	}
	return s.err != unix.EAGAIN
}

// read reads, and returns when the last of it arrived; the zero time where the kernel does not report that.
func (s *stamps) read(p []byte) (int, time.Time, error) {
	if len(p) == 0 {
		return 0, time.Time{}, nil
	}
	s.into = p
	err := s.conn.raw.Read(s.try)
	s.into = nil
	switch {
	case err != nil:
	case s.err != nil:
		err = s.err
	case s.n == 0:
		return 0, time.Time{}, io.EOF
	default:
		return s.n, arrival(s.oob[:s.oobn]), nil
	}
	return 0, time.Time{}, s.conn.wrapped("read", err)
}

// arrival is when the last packet of what a call read arrived.
func arrival(oob []byte) time.Time {
	for h, data := range controlMessages(oob) {
		if isStamp(h) {
			return software(data)
		}
	}
	return time.Time{}
}

// stampAcknowledgement makes the kernel timestamp when what is written from here on is acknowledged.
func stampAcknowledgement(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { _ = setStamping(int(fd), acknowledgements) }) // where it fails there are none
}

// stampRequest makes the kernel timestamp when it is sent, too.
func stampRequest(raw syscall.RawConn) {
	// where it fails there are none
	_ = raw.Control(func(fd uintptr) { _ = setStamping(int(fd), acknowledgements|sendings) })
}

// stampSendings makes the kernel timestamp when what is written from here on is sent.
func stampSendings(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { _ = setStamping(int(fd), sendings) }) // where it fails there are none
}

// stopStamping makes the kernel timestamp arrivals alone.
func stopStamping(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { _ = setStamping(int(fd), arrivals) }) // fails only on a closed connection
}

// readQueue reads the error queue until the acknowledgement of a byte is there, or nothing more, and appends the
// timestamps to those that were read earlier.
func (s *stamps) readQueue(read []stamp, last uint32) []stamp {
	_ = s.conn.raw.Control(func(fd uintptr) { // fails only on a closed connection
		var oob [256]byte
		var data [1]byte // nothing is read; without room for it Recvmsg reads the socket's type each time
		for len(read) < maxStamps && !hasAcknowledgement(read, last) {
			_, oobn, err := receiveNow(fd, data[:], oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if s, ok := parseStamp(oob[:oobn]); ok {
				read = append(read, s)
			}
		}
	})
	return read
}

// scmTstampSnd marks the timestamp of a packet's sending (linux/errqueue.h, SCM_TSTAMP_SND).
const scmTstampSnd = 0

// parseStamp parses a timestamp from the error queue: its time, and of which byte it is (sock_extended_err, ee_data and
// ee_info).
func parseStamp(oob []byte) (s stamp, ok bool) {
	for h, data := range controlMessages(oob) {
		v4 := h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR
		v6 := h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR
		switch {
		case (v4 || v6) && len(data) >= 16 && data[4] == unix.SO_EE_ORIGIN_TIMESTAMPING:
			if binary.NativeEndian.Uint32(data[8:]) == scmTstampSnd {
				s.kind = sent
			}
			s.last, ok = binary.NativeEndian.Uint32(data[12:]), true
		case isStamp(h):
			s.at = software(data)
		}
	}
	return s, ok
}

// isStamp reports whether a control message is a struct scm_timestamping, of the kind that setStamping requests.
func isStamp(h *unix.Cmsghdr) bool {
	return h.Level == unix.SOL_SOCKET && (h.Type == unix.SO_TIMESTAMPING || h.Type == unix.SO_TIMESTAMPING_NEW)
}

// software is the software timestamp of a struct scm_timestamping, whose seconds and nanoseconds have 64 bits each
// (setStamping); the zero time if there is none.
func software(data []byte) time.Time {
	if len(data) < 16 {
		return time.Time{}
	}
	seconds, nanoseconds := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), int64(nanoseconds))
}

// controlMessages are the control messages of a call (cmsg(3)).
func controlMessages(oob []byte) iter.Seq2[*unix.Cmsghdr, []byte] {
	return func(yield func(*unix.Cmsghdr, []byte) bool) {
		for len(oob) >= unix.SizeofCmsghdr {
			h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
			if err != nil || !yield(&h, data) {
				return
			}
			oob = rest
		}
	}
}

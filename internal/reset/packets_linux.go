package reset

import (
	"encoding/binary"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// packetSocket reads captured packets.
type packetSocket struct {
	fd     int
	stop   chan struct{}
	buffer [captureLength]byte
	oob    [64]byte  // a timestamp with its header is 32
	clock  time.Time // when it was opened or read last
}

// stampPackets requests the time of each packet's arrival. The times of the kind with 64 bits, since Linux 5.1, do not
// end in 2038; where a long has 64 bits the other is the same. Without it a packet arrives when it is read.
func stampPackets(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, stampOption(), 1)
}

func stampOption() int {
	if strconv.IntSize == 32 {
		return unix.SO_TIMESTAMPNS_NEW
	}
	return unix.SO_TIMESTAMPNS
}

// read reads until nothing is left.
func (p *packetSocket) read(each func(arrival)) {
	for p.fd >= 0 {
		n, oobn, _, from, err := unix.Recvmsg(p.fd, p.buffer[:], p.oob[:], unix.MSG_DONTWAIT)
		if err == unix.EINTR || err == unix.ENETDOWN { // an interface went down: said once
			continue
		}
		before := p.clock
		p.clock = time.Now()
		if err != nil {
			return
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		each(arrival{p.buffer[:n], ok && link.Hatype == unix.ARPHRD_LOOPBACK,
			arrivedAt(stampIn(p.oob[:oobn]), p.clock, before)})
	}
}

// stampIn finds the kernel's time of a packet in control messages; zero if there is none.
func stampIn(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && int(m.Header.Type) == stampOption() && len(m.Data) >= 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return time.Time{}
}

// arrivedAt is a time of the kernel's by the monotonic clock, too. Its age is by the system's clock, which may have
// been set since the socket was read before: then, and where there is no time, the packet arrived now.
func arrivedAt(stamp, now, before time.Time) time.Time {
	age := now.Round(0).Sub(stamp)
	step := now.Round(0).Sub(before.Round(0)) - now.Sub(before)
	if stamp.IsZero() || before.IsZero() || step.Abs() > clockStep || age < 0 || age > time.Minute {
		return now
	}
	return now.Add(-age)
}

func (p *packetSocket) close() {
	close(p.stop)
	_ = unix.Close(p.fd) // nothing is lost
	p.fd = -1
}

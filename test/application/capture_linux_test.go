package application

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/netlab"
)

// A flow is one connection as the capture saw it at the client.
type flow struct {
	local, remote netip.AddrPort
	established   bool
	first         time.Time // the SYN
	asked         time.Time // the first segment with data that was sent since the last one was received
	sent          time.Time // the last segment with data
	received      time.Time
	finSent       time.Time
	reset         bool      // a RST passed
	end           time.Time // the first FIN or RST; zero: none passed
	how           string    // as the exporter says it; "timed_out": neither FIN nor RST passed
}

// unanswered reports whether nothing came back after the last data that was sent.
func (f *flow) unanswered() bool { return f.sent.After(f.received) }

// idle is for how long no data had passed when the connection ended, or before the request that it lost.
func (f *flow) idle() time.Duration {
	if f.unanswered() {
		return f.asked.Sub(f.received)
	}
	return f.end.Sub(f.received)
}

// orderly reports whether both sides closed the connection by a FIN, and nothing else passed.
func (f *flow) orderly() bool { return (f.how == "fin_sent" || f.how == "fin_received") && !f.reset }

// closedAtOnce reports whether the application closed the connection as soon as it had ended: what it holds, the
// exporter notices by dumps alone.
func (f *flow) closedAtOnce() bool {
	switch f.how {
	case "fin_received":
		return !f.finSent.IsZero() && f.finSent.Sub(f.end) < 50*time.Millisecond
	case "reset_received":
		return f.unanswered() // who waits for an answer reads
	}
	return true
}

// wire captures the packets of the node C on its link. The kernel stamps them when they pass: it does not matter when
// they are read.
type wire struct {
	fd   int
	done sync.WaitGroup

	mu    sync.Mutex // guards flows and last
	flows []*flow
	last  map[[2]netip.AddrPort]*flow // of each pair of addresses
}

func captureAt(t *testing.T, n *netlab.Net) *wire {
	w := &wire{last: map[[2]netip.AddrPort]*flow{}}
	err := n.Inside(netlab.C, func() (err error) {
		all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
		w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(all))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20),
		unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	w.done.Go(func() { w.read(stop) })
	t.Cleanup(func() { close(stop); w.done.Wait(); _ = unix.Close(w.fd) })
	return w
}

func (w *wire) read(stop <-chan struct{}) {
	packet, oob := make([]byte, 128), make([]byte, 128)
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, oobn, _, from, err := unix.Recvmsg(w.fd, packet, oob, 0)
		if err != nil {
			continue // nothing passes
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if s, parsed := parse(packet[:n]); ok && parsed {
			s.outgoing, s.at = link.Pkttype == unix.PACKET_OUTGOING, stamp(oob[:oobn])
			w.add(&s)
		}
	}
}

func stamp(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			return time.Unix((*unix.Timespec)(unsafe.Pointer(&m.Data[0])).Unix())
		}
	}
	return time.Time{}
}

// segment is what is read of a TCP segment.
type segment struct {
	at       time.Time
	outgoing bool
	from, to netip.AddrPort
	flags    byte
	length   int // of data
}

// The flags of RFC 9293 section 3.1.
const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagACK = 16
)

// parse reads TCP over IPv4, and over IPv6 without extension headers.
func parse(b []byte) (segment, bool) {
	var from, to netip.Addr
	header, length := 0, 0
	switch {
	case len(b) >= 40 && b[0]>>4 == 4 && b[9] == unix.IPPROTO_TCP:
		from, to = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		header, length = int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	case len(b) >= 60 && b[0]>>4 == 6 && b[6] == unix.IPPROTO_TCP:
		from, to = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		header, length = 40, 40+int(binary.BigEndian.Uint16(b[4:]))
	default:
		return segment{}, false
	}
	if len(b) < header+20 {
		return segment{}, false
	}
	b = b[header:]
	return segment{from: netip.AddrPortFrom(from, binary.BigEndian.Uint16(b)),
		to: netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:])), flags: b[13],
		length: length - header - int(b[12]>>4)*4}, true
}

func (w *wire) add(s *segment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, received := [2]netip.AddrPort{s.from, s.to}, "received"
	if !s.outgoing {
		key = [2]netip.AddrPort{s.to, s.from}
	} else {
		received = "sent"
	}
	f := w.last[key]
	if s.outgoing && s.flags&(flagSYN|flagACK) == flagSYN && (f == nil || f.established) {
		f = &flow{local: s.from, remote: s.to, first: s.at, how: "timed_out"}
		w.last[key] = f
		w.flows = append(w.flows, f)
	}
	if f != nil && s.outgoing && s.flags&flagFIN != 0 && f.finSent.IsZero() {
		f.finSent = s.at
	}
	if f != nil && s.flags&flagRST != 0 {
		f.reset = true
	}
	switch {
	case f == nil || !f.end.IsZero():
	case s.flags&flagRST != 0:
		f.end, f.how = s.at, "reset_"+received
	default:
		f.established = f.established || !s.outgoing && s.flags&flagSYN != 0
		if s.length > 0 && s.outgoing {
			if !f.unanswered() {
				f.asked = s.at
			}
			f.sent = s.at
		} else if s.length > 0 {
			f.received = s.at
		}
		if s.flags&flagFIN != 0 {
			f.end, f.how = s.at, "fin_"+received
		}
	}
}

// settle waits until all packets that have passed by now are read: the kernel queues them in their order, and a
// connection that is tried now, to a port where nobody listens, comes after them.
func (w *wire) settle(t *testing.T, n *netlab.Net) {
	t.Helper()
	nobody := netip.AddrPortFrom(families[0], 8999)
	if conn, err := n.Dial(t.Context(), netlab.C, "tcp", nobody.String()); err == nil {
		_ = conn.Close()
		t.Fatalf("%s listens", nobody)
	}
	for until := time.Now().Add(time.Minute); !w.tried(nobody); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the capture has ended")
		}
	}
}

func (w *wire) tried(remote netip.AddrPort) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.flows {
		if f.remote == remote {
			return true
		}
	}
	return false
}

// take is what the connections that were established have become so far.
func (w *wire) take() []flow {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []flow
	for _, f := range w.flows {
		if f.established {
			out = append(out, *f)
		}
	}
	return out
}

// Package accuracy holds the phases that the prober reports against a packet capture of the same connections.
package accuracy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Packet is one TCP segment on the loopback interface, as the kernel stamped it.
type Packet struct {
	At       time.Time
	From, To netip.AddrPort
	SYN, ACK bool
	Bytes    int    // of data
	Path     string // of a request that begins in it
	Outgoing bool
}

// Wire captures the packets of the loopback interface. The kernel stamps them when they pass: it does not matter when
// they are read.
type Wire struct {
	fd   int
	done sync.WaitGroup

	mu      sync.Mutex // guards packets and ended
	packets []Packet
	ended   bool
	arrived *sync.Cond // packets or ended changed
}

// Listen begins to capture; it needs CAP_NET_RAW.
func Listen() (*Wire, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC,
		int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))))
	if err != nil {
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	w := &Wire{fd: fd}
	w.arrived = sync.NewCond(&w.mu)
	w.done.Go(w.read)
	return w, nil
}

func (w *Wire) read() {
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
		w.arrived.Broadcast()
	}()
	packet, oob := make([]byte, 128), make([]byte, 128)
	for {
		n, oobn, _, from, err := unix.Recvmsg(w.fd, packet, oob, 0)
		if err == unix.EAGAIN || err == unix.EINTR {
			continue
		}
		if err != nil {
			return // closed
		}
		p, ok := parse(packet[:n])
		if !ok {
			continue
		}
		if link, ok := from.(*unix.SockaddrLinklayer); ok {
			p.Outgoing = link.Pkttype == unix.PACKET_OUTGOING
		}
		p.At = stamp(oob[:oobn])
		w.mu.Lock()
		w.packets = append(w.packets, p)
		w.arrived.Broadcast()
		w.mu.Unlock()
	}
}

func stamp(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS &&
			len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			at := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return time.Unix(at.Unix())
		}
	}
	return time.Time{}
}

// parse reads IPv4 with TCP.
func parse(b []byte) (Packet, bool) {
	if len(b) < 40 || b[0]>>4 != 4 || b[9] != unix.IPPROTO_TCP {
		return Packet{}, false
	}
	ip := int(b[0]&15) * 4
	if len(b) < ip+20 {
		return Packet{}, false
	}
	t := b[ip:]
	p := Packet{
		From: netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), binary.BigEndian.Uint16(t)),
		To:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(t[2:])),
		SYN:  t[13]&2 != 0, ACK: t[13]&16 != 0,
	}
	if data := t[min(len(t), int(t[12]>>4)*4):]; bytes.HasPrefix(data, []byte("GET ")) {
		p.Path, _, _ = strings.Cut(string(data[4:]), " ")
	}
	p.Bytes = int(binary.BigEndian.Uint16(b[2:])) - ip - int(t[12]>>4)*4
	return p, true
}

// Take returns what was captured, and forgets it.
func (w *Wire) Take() []Packet {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.packets
	w.packets = nil
	return taken
}

// Settle waits until the capture has read all packets that have passed by now: the kernel queues them in their order,
// and a connection made now comes after them.
func (w *Wire) Settle() error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	mark := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !slices.ContainsFunc(w.packets, func(p Packet) bool { return p.From == mark && p.SYN }) {
		if w.ended {
			return errors.New("the capture ended")
		}
		w.arrived.Wait()
	}
	return nil
}

// Close ends the capture.
func (w *Wire) Close() {
	_ = unix.Shutdown(w.fd, unix.SHUT_RD) // which packet sockets may not know
	_ = unix.Close(w.fd)
	w.done.Wait()
}

// Truth is when what happened on a connection's wire, as seen by its client: it sends when a packet leaves, and gets
// when one arrives.
type Truth struct {
	SYN, SYNACK time.Time
	Hello       time.Time // the first data sent
	Finished    time.Time // the last data sent before the request: of a TLS handshake
	Path        string    // of the request, where it is not encrypted
	Asked       time.Time // the last data sent before the longest wait
	Answered    time.Time // the first data that arrived after it
	Last        time.Time // the last data that arrived
}

// Sizes of TLS 1.3 records that are not what is looked for, in bytes of data.
const (
	changeCipherSpec = 6  // sent for the sake of old middleboxes (RFC 8446 appendix D.4)
	closeNotify      = 24 // sent by the server after the answer
	// the answer is a kilobyte; session tickets, which come any time after the handshake, are less
	answerAtLeast = 1000
)

// seen is what a client sent and got.
type seen struct {
	Truth
	sent, got []moment
	encrypted bool
}

type moment struct {
	at    time.Time
	bytes int
}

// Connection is one connection of a client. A port that was closed is used again after a second where both ends are on
// loopback (tcp_tw_reuse of Linux' ip-sysctl), so that an address alone does not name it.
type Connection struct {
	Local netip.AddrPort
	Use   int // how often the address was used before
}

// Truths are those of the connections that a client made.
func Truths(packets []Packet) map[Connection]*Truth {
	all := map[Connection]*seen{}
	latest := map[netip.AddrPort]*seen{}
	uses := map[netip.AddrPort]int{}
	for _, p := range packets {
		if p.Outgoing && p.SYN && !p.ACK {
			s := latest[p.From]
			if s == nil || !s.SYNACK.IsZero() { // or the SYN is repeated
				s = &seen{encrypted: true}
				latest[p.From], all[Connection{p.From, uses[p.From]}] = s, s
				uses[p.From]++
			}
			s.SYN = p.At
		}
		if s := latest[p.From]; s != nil && p.Outgoing && p.Bytes > 0 {
			if p.Path != "" {
				s.Path, s.encrypted = p.Path, false
			}
			s.sent = append(s.sent, moment{p.At, p.Bytes})
		}
		if s := latest[p.To]; s != nil && !p.Outgoing {
			if p.SYN && p.ACK {
				s.SYNACK = p.At
			}
			if p.Bytes > 0 {
				s.got = append(s.got, moment{p.At, p.Bytes})
			}
		}
	}
	truths := map[Connection]*Truth{}
	for connection, s := range all {
		if s.tell() {
			truths[connection] = &s.Truth
		}
	}
	return truths
}

// tell finds what is what: in the clear the request is the first that is sent; encrypted it comes after our first and
// second flight.
func (s *seen) tell() bool {
	least := 1
	if s.encrypted {
		s.sent = slices.DeleteFunc(s.sent, func(m moment) bool { return m.bytes <= changeCipherSpec })
		s.got = slices.DeleteFunc(s.got, func(m moment) bool { return m.bytes == closeNotify })
		if len(s.sent) < 3 {
			return false
		}
		s.Hello, s.Finished = s.sent[0].at, s.sent[1].at
		s.sent, least = s.sent[2:], answerAtLeast
	}
	if len(s.sent) == 0 {
		return false
	}
	s.Asked = s.sent[0].at
	for _, m := range s.got {
		if m.at.Before(s.Asked) || s.Answered.IsZero() && m.bytes < least {
			continue
		}
		if s.Answered.IsZero() {
			s.Answered = m.at
		}
		s.Last = m.at
	}
	return !s.Answered.IsZero()
}

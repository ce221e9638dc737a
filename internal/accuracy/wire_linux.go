// Package accuracy holds the phases that the prober reports against a packet capture of the same connections.
package accuracy

import (
	"encoding/binary"
	"net/netip"
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
	Bytes    int // of data
	Outgoing bool
}

// Wire captures the packets of the loopback interface. The kernel stamps them when they pass: it does not matter when they are read.
type Wire struct {
	fd   int
	done sync.WaitGroup

	mu      sync.Mutex // guards packets
	packets []Packet
}

// Listen begins to capture; it needs CAP_NET_RAW.
func Listen() (*Wire, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))))
	if err != nil {
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	w := &Wire{fd: fd}
	w.done.Go(w.read)
	return w, nil
}

func (w *Wire) read() {
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
		w.mu.Unlock()
	}
}

func stamp(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			at := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return time.Unix(at.Sec, at.Nsec)
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

// Close ends the capture.
func (w *Wire) Close() {
	_ = unix.Shutdown(w.fd, unix.SHUT_RD) // which packet sockets may not know
	_ = unix.Close(w.fd)
	w.done.Wait()
}

// Truth is when what happened on a connection's wire, as seen by its client: it sends when a packet leaves, and gets when one arrives.
type Truth struct {
	SYN, SYNACK time.Time
	Hello       time.Time // the first data sent
	Asked       time.Time // the last data sent before the longest wait
	Answered    time.Time // the first data that arrived after it
	Last        time.Time // the last data that arrived
}

// Truths are those of the connections that a client made, by its address.
func Truths(packets []Packet) map[netip.AddrPort]*Truth {
	type state struct {
		Truth
		lastSent time.Time
		longest  time.Duration
	}
	all := map[netip.AddrPort]*state{}
	for _, p := range packets {
		if p.Outgoing && p.SYN && !p.ACK {
			all[p.From] = &state{Truth: Truth{SYN: p.At}}
		}
		if sent := all[p.From]; sent != nil && p.Outgoing && p.Bytes > 0 {
			if sent.Hello.IsZero() {
				sent.Hello = p.At
			}
			sent.lastSent = p.At
		}
		got := all[p.To]
		if got == nil || p.Outgoing {
			continue
		}
		if p.SYN && p.ACK {
			got.SYNACK = p.At
		}
		if p.Bytes == 0 {
			continue
		}
		if wait := p.At.Sub(got.lastSent); !got.lastSent.IsZero() && wait > got.longest {
			got.longest, got.Asked, got.Answered = wait, got.lastSent, p.At
		}
		got.Last = p.At
	}
	truths := map[netip.AddrPort]*Truth{}
	for client, s := range all {
		truths[client] = &s.Truth
	}
	return truths
}

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

// Packet is one TCP segment or UDP datagram on the loopback interface, as the kernel stamped it.
type Packet struct {
	At       time.Time
	From, To netip.AddrPort
	SYN, ACK bool
	Bytes    int    // of data
	Seq      uint32 // of its first byte
	Path     string // of a request that begins in it
	Outgoing bool
	Datagram []byte // UDP's; the rest of the fields but Bytes is TCP's then
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
	packet, oob := make([]byte, 2048), make([]byte, 128)
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

// parse reads IPv4 with TCP or UDP.
func parse(b []byte) (Packet, bool) {
	if len(b) < 28 || b[0]>>4 != 4 {
		return Packet{}, false
	}
	ip := int(b[0]&15) * 4
	if b[9] == unix.IPPROTO_UDP && len(b) > ip+8 {
		return Packet{
			From:  netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), binary.BigEndian.Uint16(b[ip:])),
			To:    netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(b[ip+2:])),
			Bytes: len(b) - ip - 8, Datagram: bytes.Clone(b[ip+8:]),
		}, true
	}
	if b[9] != unix.IPPROTO_TCP || len(b) < ip+20 {
		return Packet{}, false
	}
	t := b[ip:]
	p := Packet{
		From: netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), binary.BigEndian.Uint16(t)),
		To:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(t[2:])),
		SYN:  t[13]&2 != 0, ACK: t[13]&16 != 0, Seq: binary.BigEndian.Uint32(t[4:]),
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

package result

import (
	"net/netip"
	"syscall"
	"time"
)

// Op names a system call the recorder saw.
type Op string

// The operations of a connection.
const (
	OpConnect Op = "connect"
	OpRead    Op = "read"
	OpWrite   Op = "write"
	OpClose   Op = "close"
)

// Event is one or more like system calls on the connection, in the order in which they completed.
type Event struct {
	Op    Op
	Start time.Duration // since the attempt began: the first call's start
	End   time.Duration // the last call's end
	Calls int           // successful calls of the same kind that follow each other are one event
	Bytes int64
	EOF   bool          // a read that returned 0
	Errno syscall.Errno // of a failed call
	Err   error         // nil on success
}

// Wire is what the socket saw, under TLS.
type Wire struct {
	Local         netip.AddrPort
	Remote        netip.AddrPort
	BytesSent     int64
	BytesReceived int64
	Events        []Event       // the first and the last ones; bounded
	Dropped       int           // events left out between them
	Cause         *Event        // the first event that was not our own doing and ended the connection; nil if none
	Began         time.Duration // when connect() was called; 0 where Established is the clock's
	Established   time.Duration // when the handshake was complete, since the attempt began
	KernelTimes   bool          // arrivals are when the kernel took packets in, not when a goroutine got to run
	// from the request's last byte sent to its acknowledgement; 0 where the kernel did not report it
	Acknowledged   time.Duration
	SYNRetransmits uint32 // of the handshake that succeeded
	Info           *TCPInfo
	InfoAt         string // when Info was taken: "failure", "deadline" or "close"
	Reset          *Reset // who sent the RST that ended it; nil if none did, or nothing was captured
	ICMP           *ICMP  // the socket's error queue after a failed connect; nil if empty or not available
}

// ICMP is a router's message about our SYN, from the socket's error queue (ip(7), IP_RECVERR).
type ICMP struct {
	Type, Code uint8
	From       netip.Addr    // the router that sent it; our own address for a local reject
	Errno      syscall.Errno // what the kernel made of it
}

// TCPInfo is Linux's struct tcp_info (linux/tcp.h), with durations for times. Not available elsewhere.
type TCPInfo struct {
	State            string // "ESTABLISHED", "SYN_SENT", … as in tcp_states.h
	RTT              time.Duration
	RTTVar           time.Duration
	MinRTT           time.Duration // 0 when none was measured
	Retransmits      uint8         // unrecovered RTOs on the packet at the head of the queue
	Backoff          uint8
	Probes           uint8 // unanswered keepalive or window probes
	Unacked          uint32
	Sacked           uint32 // segments that arrived behind a hole (RFC 2018)
	Lost             uint32
	TotalRetrans     uint32
	BytesAcked       uint64 // includes 1 for our SYN
	BytesReceived    uint64 // includes 1 for the peer's FIN
	BytesSent        uint64
	BytesRetrans     uint64
	NotSent          uint32
	SegsOut          uint32
	SegsIn           uint32
	OutOfOrder       uint32 // rcv_ooopack
	OutOfOrderQueued bool   // segments wait behind a hole right now
	SndMSS           uint32
	PMTU             uint32
	SndWnd           uint32
	RcvWnd           uint32 // our receive window; 0 before Linux 6.2
	RwndLimited      time.Duration
	BusyTime         time.Duration
	LastDataRecv     time.Duration
	LastAckRecv      time.Duration
	TotalRTO         uint16
}

// maxEvents bounds the events kept of a connection: the first half and the last half of them.
const maxEvents = 32

// Append keeps an event, merging successes of the same kind, within the bound.
func (w *Wire) Append(e Event) {
	events := w.Events
	if last := len(events) - 1; last >= 0 && e.Err == nil && events[last].Err == nil && events[last].Op == e.Op {
		events[last].End, events[last].Bytes = e.End, events[last].Bytes+e.Bytes
		events[last].Calls++
		return
	}
	if len(events) == maxEvents {
		copy(events[maxEvents/2:], events[maxEvents/2+1:])
		events = events[:maxEvents-1]
		w.Dropped++
	}
	w.Events = append(events, e)
}

func (w *Wire) Clone() *Wire {
	c := *w
	c.Events = append([]Event(nil), w.Events...)
	return &c
}

// RepeatedSYNs counts the retransmissions of the SYN, of a connection whose TCP_INFO is known. When nothing was
// acknowledged, not even the SYN, nothing else was sent.
func (w *Wire) RepeatedSYNs() uint32 {
	if w.Info.BytesAcked == 0 {
		return w.Info.TotalRetrans
	}
	return w.SYNRetransmits
}

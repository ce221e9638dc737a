// Package observe watches the TCP connections of the other processes of this network namespace to the targets: how
// many there are, how each ends, and how long it had been idle then.
//
// Read observe.go first: the values that metrics, verdicts and pages read.
package observe

import (
	"net/netip"
	"time"

	"errno_exporter/prober/result"
)

// How says how a connection ended.
type How string

// The ways in which a connection ends.
const (
	ResetReceived How = "reset_received" // the peer, or somebody in its name, sent a RST
	ResetSent     How = "reset_sent"     // this side sent a RST: closed with unread data, or aborted
	FINReceived   How = "fin_received"   // the peer closed first
	FINSent       How = "fin_sent"       // this side closed first
	TimedOut      How = "timed_out"      // the kernel gave up: retransmissions or keepalives without an answer
	Unknown       How = "unknown"
)

// Hows lists every How, in the order of metrics and pages.
func Hows() []How { return []How{ResetReceived, ResetSent, FINReceived, FINSent, TimedOut, Unknown} }

// Lost says what a connection's end lost.
type Lost string

// What may be lost when a connection ends.
const (
	NothingLost    Lost = ""
	Unacknowledged Lost = "unacknowledged" // data was sent and never acknowledged
	Unanswered     Lost = "unanswered"     // data was acknowledged and nothing came back after it
)

// An End is the end of one connection.
type End struct {
	Target        string // the configured name
	Local, Remote netip.AddrPort
	At            time.Time
	How           How
	Certain       bool          // whether the evidence leaves no other way: the rule is in docs/application-connections.md
	Origin        result.Origin // who sent the reset, where a capture saw it
	Idle          time.Duration // since data was last sent or received
	SinceReceived time.Duration // since data was last received, or until the peer's FIN if that came first
	Age           time.Duration // since the connection was first seen; negative: unknown
	Lost          Lost
	TCP           TCP
	Container     string // or unit whose process made it; empty where that is not known
}

// TCP is the kernel's view of connections: of one at its end, or of all of a target.
type TCP struct {
	RTT, RTTVariance time.Duration // smoothed; of a target: the mean of its connections
	Retransmits      uint64        // segments
	Unacknowledged   uint64        // bytes sent, or segments where the kernel has no bytes
	BytesSent        uint64
	BytesReceived    uint64
	Window           uint64 // the congestion window in bytes; of a target: the mean of its connections
	Congestion       string // of one connection: one of CongestionStates; empty for none
}

// Connections are a target's at the last dump, and what happened to them since the start.
type Connections struct {
	States          map[string]int // by the kernel's name in lower case: established, close_wait, …
	Opened          uint64
	Ended           map[Ending]uint64
	Lost            map[Lost]uint64
	Retransmitted   uint64        // segments, of connections that have ended, too
	WindowLimited   time.Duration // for how long they waited for the peer's receive window, in all
	OldestCloseWait time.Duration // for how long the oldest has been in CLOSE_WAIT; 0: none is
	TCP             TCP
	Congestion      map[string]int            // connections by CongestionStates, at the last dump
	Containers      map[string]ContainerCount // by Container; of those that have had connections in the last hour
}

// ContainerCount are a container's connections to a target.
type ContainerCount struct {
	Open  int // at the last dump
	Ended uint64
	Reset uint64 // of these, by a reset that was received
	Lost  uint64 // of these, with a request
}

// An Ending is a kind of end: what ends are counted by.
type Ending struct {
	How    How
	Origin result.Origin
}

// Health is how well the observer sees.
type Health struct {
	Sockets      int           // tracked
	EventsLost   uint64        // ends that the kernel could not report: the socket's buffer was full
	Dumps        uint64        // made
	DumpDuration time.Duration // of the last
	Err          error         // of the last; nil where it succeeded
}

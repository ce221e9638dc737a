package result

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Sender says who sent a RST, judging by its TTL.
type Sender string

// The senders. EndHost is what is as far away as the server: it, or a device at its distance.
const (
	EndHost   Sender = "end_host"
	Middlebox Sender = "middlebox" // nearer than the server
	ThisHost  Sender = "this_host" // it came over the loopback interface
	Ambiguous Sender = "ambiguous" // the TTLs cannot be compared, or there is nothing to compare with
)

// Reset is a RST beside the server's own packets.
type Reset struct {
	Sender    Sender
	TTL       uint8 // hop limit for IPv6
	Reference uint8 // of the connection's SYN-ACK or, where the SYN was reset, of earlier ones; 0 if none was seen
	Live      bool  // by a live socket, which was aborted; else the flow was unknown to the sender
	RST       *RST  // the segment itself; nil where it was not captured
}

// InitialTTL is what a packet was probably sent with: 64, 128 or 255.
func InitialTTL(ttl uint8) uint8 {
	switch {
	case ttl <= 64:
		return 64
	case ttl <= 128:
		return 128
	}
	return 255
}

// Delta is how much larger the RST's TTL was than the server's: how many hops nearer its sender is. It is unknown
// without a reference.
func (r *Reset) Delta() (int, bool) {
	return int(r.TTL) - int(r.Reference), r.Reference != 0
}

// String is for the record: "from a middlebox, 2 hops nearer than the server (TTL 64, the server's 62), an open
// socket was aborted".
func (r *Reset) String() string {
	state := "the sender had no state for the connection"
	if r.Live {
		state = "an open socket was aborted"
	}
	switch delta, known := r.Delta(); {
	case r.Sender == ThisHost:
		return fmt.Sprintf("from this host itself (TTL %d)", r.TTL)
	case r.Sender == Middlebox:
		hops := fmt.Sprintf("%d hops", delta)
		if delta == 1 {
			hops = "1 hop"
		}
		return fmt.Sprintf("from a middlebox, %s nearer than the server (TTL %d, the server's %d), %s", hops, r.TTL,
			r.Reference, state)
	case r.Sender == EndHost:
		return fmt.Sprintf("from as far away as the server (TTL %d), %s", r.TTL, state)
	case known:
		return fmt.Sprintf("from the server or a middlebox: TTL %d and the server's %d cannot be compared; %s", r.TTL,
			r.Reference, state)
	}
	return fmt.Sprintf("from the server or a middlebox: TTL %d, and none of the server's to compare with; %s", r.TTL,
		state)
}

// Correct puts a failure's origin right where the sender is certain.
func (r *Reset) Correct(f *Failure) {
	switch {
	case r == nil:
	case r.Sender == Middlebox:
		f.Origin = Path
	case r.Sender == ThisHost:
		f.Origin = Local
	}
}

// RST is the captured segment of a reset, beside the others of its connection. What was not captured is absent.
type RST struct {
	Arrived     time.Time
	At          time.Duration // since the attempt began; 0 if unknown
	AfterSYNACK time.Duration // 0 if no SYN-ACK was captured
	AfterWrite  time.Duration // since we last wrote; 0 if nothing was written before
	ACK         bool          // it is a RST-ACK
	Sequence    Sequence      // empty if unknown
	Acked       int64         // how many of our bytes it acknowledges; -1 if unknown
	Window      uint16
	IPv4        bool // ID and DF are of the IPv4 header
	ID          uint16
	DF          bool
	Index       int    // among the RSTs of the connection, from 1
	Count       int    // how many were captured until the failure was classified
	Payload     string // RFC 9293 section 3.5.3, draft-ietf-tcpm-rst-diagnostic-payload; printable, and cut
	// another RST is ahead of the stream, and came after the one that ended the connection
	AheadAfter bool
}

// Sequence is where a RST is, beside the next byte that we expected. Only an exact one ends a connection of Linux
// (RFC 5961 section 3.2).
type Sequence string

// The sequences.
const (
	SequenceExact    Sequence = "exact"
	SequenceInWindow Sequence = "in_window" // ahead of the next byte, and within our receive window
	SequenceOutside  Sequence = "out_of_window"
)

// SequenceOf is where a RST is which is some bytes into the stream of the peer, of which next were received, with a
// receive window; 0 where that is unknown. The numbers wrap at 2³² (RFC 9293 section 3.4).
func SequenceOf(offset, next, window uint32) Sequence {
	switch ahead := int32(offset - next); {
	case ahead == 0:
		return SequenceExact
	case ahead < 0:
		return SequenceOutside
	case window == 0:
		return ""
	case uint32(ahead) < window:
		return SequenceInWindow
	}
	return SequenceOutside
}

// Kind is "RST" or "RST-ACK".
func (r *RST) Kind() string {
	if r.ACK {
		return "RST-ACK"
	}
	return "RST"
}

// Line is the captured segment in a line: "RST at 41.2 ms, 0.3 ms after our last write: sequence exact, window 0,
// IP ID 0, DF, TTL 63 (SYN-ACK: 64), 1 of 3"; empty where there is none. The payload is text from outside.
func (r *Reset) Line() string {
	s := r.RST
	if s == nil {
		return ""
	}
	var facts []string
	if s.Sequence != "" {
		facts = append(facts, "sequence "+strings.ReplaceAll(string(s.Sequence), "_", " "))
	}
	if s.Acked >= 0 {
		facts = append(facts, fmt.Sprintf("acknowledges %d bytes", s.Acked))
	}
	facts = append(facts, "window "+strconv.Itoa(int(s.Window)))
	ttl := "hop limit"
	if s.IPv4 {
		ttl = "TTL"
		facts = append(facts, "IP ID "+strconv.Itoa(int(s.ID)), map[bool]string{true: "DF", false: "no DF"}[s.DF])
	}
	ttl += " " + strconv.Itoa(int(r.TTL))
	if r.Reference != 0 {
		ttl += fmt.Sprintf(" (SYN-ACK: %d)", r.Reference)
	}
	facts = append(facts, ttl, fmt.Sprintf("%d of %d", s.Index, s.Count))
	line := s.Kind() + s.when() + ": " + strings.Join(facts, ", ")
	if s.Payload != "" {
		line += ", payload " + strconv.Quote(s.Payload)
	}
	return line
}

// when is when the segment arrived, in words.
func (r *RST) when() string {
	var times []string
	for _, t := range []struct {
		d    time.Duration
		what string
	}{{r.AfterWrite, "after our last write"}, {r.AfterSYNACK, "after the SYN-ACK"}} {
		if t.d > 0 {
			times = append(times, milliseconds(t.d)+" "+t.what)
		}
	}
	if r.At > 0 {
		times = append([]string{"at " + milliseconds(r.At)}, times...)
	}
	if len(times) == 0 {
		return ""
	}
	return " " + strings.Join(times, ", ")
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + " ms"
}

// Doubtful reports whether the RSTs look like those of an injector that guesses: after the one that ended the
// connection came another that is ahead of the stream. A host that has forgotten the connection answers with what we
// acknowledged (RFC 9293 section 3.5.2), which is never ahead. The TTL, which an injector may copy, settles nothing
// then.
func (r *Reset) Doubtful() bool { return r != nil && r.RST != nil && r.RST.AheadAfter }

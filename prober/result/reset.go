package result

import (
	"fmt"
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

// String is for the record: "from a middlebox, 2 hops nearer than the server (TTL 64 and 62), flow unknown there".
func (r *Reset) String() string {
	state := "the sender had no state for the connection"
	if r.Live {
		state = "an open socket was aborted"
	}
	switch delta, known := r.Delta(); {
	case r.Sender == ThisHost:
		return fmt.Sprintf("from this host itself (TTL %d)", r.TTL)
	case r.Sender == Middlebox:
		return fmt.Sprintf("from a middlebox, %d hops nearer than the server (TTL %d, the server's %d), %s", delta,
			r.TTL, r.Reference, state)
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

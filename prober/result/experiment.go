package result

import (
	"net/netip"
)

// ControlKind is what an experiment changes.
type ControlKind string

// The experiments.
const (
	Again         ControlKind = "again"          // nothing: was it transient?
	OtherAddress  ControlKind = "other_address"  // another address of the name, of the same family
	OtherFamily   ControlKind = "other_family"   // IPv6 instead of IPv4, or the other way
	TCPOnly       ControlKind = "tcp_only"       // connect, and no more
	TLSOnly       ControlKind = "tls_only"       // connect and handshake, and no more
	PlainRequest  ControlKind = "plain_request"  // GET, without the module's headers, body and credentials
	HTTP1         ControlKind = "http1"          // HTTP/1.1 where HTTP/2 was spoken
	MoreTime      ControlKind = "more_time"      // three times the timeout
	SmallSegments ControlKind = "small_segments" // a maximum segment size of 1000 bytes
	FreshAddress  ControlKind = "fresh_address"  // an address that only the other resolver gives
	ClosedPort    ControlKind = "closed_port"    // one SYN to port 1 of the same host
	NeverRouted   ControlKind = "never_routed"   // an address that no network has: who accepts is near us
	ResetDistance ControlKind = "reset_distance" // a minimum TTL: does the RST come from as far away as the server?
	Trace         ControlKind = "trace"          // SYNs that live for 1, 2, … hops
)

// Control is one experiment.
type Control struct {
	Kind    ControlKind
	Attempt Attempt  // of all but ResetDistance, Trace and ClosedPort
	Failure *Failure // nil if it succeeded
	Hops    []TraceHop
	// TTL is, with ClosedPort, of the RST that answered, 0 if not captured; with ResetDistance, of the server's own
	// segments, 0 if it could not be measured.
	TTL    uint8
	Sender Sender // with ResetDistance: who sends the resets; empty if the experiment shows nothing
}

// TraceHop is what answered a SYN that was to live for so many hops.
type TraceHop struct {
	From    netip.Addr // zero for silence
	Reached bool       // it was the target: the connection came about, or was refused by it
}

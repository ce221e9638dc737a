package result

import (
	"net/netip"
	"time"
)

// ExperimentKind is what an experiment changes.
type ExperimentKind string

// The experiments.
const (
	Again         ExperimentKind = "again"          // nothing: was it transient?
	OtherAddress  ExperimentKind = "other_address"  // another address of the name, of the same family
	OtherFamily   ExperimentKind = "other_family"   // IPv6 instead of IPv4, or the other way
	TCPOnly       ExperimentKind = "tcp_only"       // connect, and no more
	TLSOnly       ExperimentKind = "tls_only"       // connect and handshake, and no more
	PlainRequest  ExperimentKind = "plain_request"  // GET, without the module's headers, body and credentials
	HTTP1         ExperimentKind = "http1"          // HTTP/1.1 where HTTP/2 was spoken
	MoreTime      ExperimentKind = "more_time"      // three times the timeout
	SmallSegments ExperimentKind = "small_segments" // a maximum segment size of 1000 bytes
	FreshAddress  ExperimentKind = "fresh_address"  // an address that only the other resolver gives
	ClosedPort    ExperimentKind = "closed_port"    // one SYN to port 1 of the same host
	NeverRouted   ExperimentKind = "never_routed"   // an address that no network has: who accepts is near us
	OneHop        ExperimentKind = "one_hop"        // a SYN with a TTL of 1: what accepts it is on our own link
	ResetDistance ExperimentKind = "reset_distance" // a minimum TTL: does the RST come from as far away as the server?
	PathTrace     ExperimentKind = "trace"          // SYNs that live for 1, 2, … hops
)

// The experiments with another ClientHello. They end with the handshake, and succeed as soon as the server has shown
// its certificate: then it has accepted the hello.
const (
	HelloWithoutMLKEM ExperimentKind = "hello_without_ml_kem" // no post-quantum key share: 1,200 bytes less
	HelloPadded       ExperimentKind = "hello_padded"         // the same, made longer than the original again
	HelloSmallSplit   ExperimentKind = "hello_small_split"    // without ML-KEM, in two segments 50 ms apart
	HelloOtherCiphers ExperimentKind = "hello_other_ciphers"  // another list of cipher suites
	HelloOtherName    ExperimentKind = "hello_other_name"     // another server name (SNI)
	HelloNoName       ExperimentKind = "hello_no_name"        // no server name
	HelloSplit        ExperimentKind = "hello_split"          // in two segments 50 ms apart
	HelloPlain        ExperimentKind = "hello_plain"          // TLS 1.2 at most, and no ALPN
	HelloTLS12        ExperimentKind = "hello_tls12"          // TLS 1.2 at most
	HelloNoALPN       ExperimentKind = "hello_no_alpn"        // no ALPN
)

// Experiment is one experiment.
type Experiment struct {
	Kind    ExperimentKind
	Attempt Attempt  // of all that are attempts, and not SYNs alone or ResetDistance
	Failure *Failure // nil if it succeeded
	Hops    []PathHop
	// TTL is, with ClosedPort, of the RST that answered, 0 if not captured; with ResetDistance, of the server's own
	// segments, 0 if it could not be measured.
	TTL    uint8
	RSTTTL uint8  // with ResetDistance: of the RSTs that refuse; 0 if it was not measured
	Sender Sender // with ResetDistance: who sends the resets; empty if the experiment shows nothing
	Than   Than   // with ClosedPort: where its RST comes from, compared with the target's; empty if not measured
	// RoundTrip is, with NeverRouted and OneHop, of the handshake, if it came about; at most.
	RoundTrip time.Duration
}

// Than compares the senders of two RSTs by their TTLs.
type Than string

// The comparisons.
const (
	Alike   Than = "alike"   // the same TTL
	Nearer  Than = "nearer"  // a larger one
	Farther Than = "farther" // a smaller one, of the same initial value
)

// PathHop is what answered a SYN that was to live for so many hops.
type PathHop struct {
	From    netip.Addr // zero for silence
	Reached bool       // it was the target: the connection came about, or was refused by it
}

package result

import (
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Result is the complete record of one probe: written by Probe, afterwards only read.
type Result struct {
	Target   Target
	URL      string        // the target's, as it may be shown
	Module   string        // the module's name
	TraceID  string        // of the traceparent header that was sent, 32 hexadecimal digits; empty for none
	Start    time.Time     // when the probe began
	Elapsed  time.Duration // wall time of the whole probe
	Timeout  time.Duration // what the probe was given; never zero
	Attempts []Attempt     // at least one
	Failure  *Failure      // nil if and only if the probe succeeded

	// Addresses are what became of each address, in the resolver's order, with addresses: all; else it is empty.
	// Attempts are then those of the address that decided.
	Addresses []AddressProbe
}

// Unprobed is the result for a target to which nothing was sent, with its URL as it may be shown, and why.
func Unprobed(t Target, url, module string, f Failure) Result {
	url = Cut(url, MaxShownURL)
	return Result{
		Target: t, URL: url, Module: module, Start: time.Now(), Failure: &f,
		Attempts: []Attempt{{Failure: &f, Hops: []Hop{{URL: url, Spans: []Span{{Phase: f.Phase, Failed: true}}}}}},
	}
}

// AddressProbe is the probe of one of a name's addresses.
type AddressProbe struct {
	Addr     netip.Addr
	Attempts []Attempt // at least one
	Failure  *Failure  // of the last; nil if it succeeded
}

// Last returns the last attempt.
func (p *AddressProbe) Last() *Attempt { return &p.Attempts[len(p.Attempts)-1] }

// Every returns all attempts that were made, over all addresses.
func (r *Result) Every() iter.Seq[*Attempt] {
	return func(yield func(*Attempt) bool) {
		if len(r.Addresses) == 0 {
			for i := range r.Attempts {
				if !yield(&r.Attempts[i]) {
					return
				}
			}
		}
		for i := range r.Addresses {
			for j := range r.Addresses[i].Attempts {
				if !yield(&r.Addresses[i].Attempts[j]) {
					return
				}
			}
		}
	}
}

// Waited is how long the handshakes of all attempts waited for a slot to compute.
func (r *Result) Waited() time.Duration {
	var all time.Duration
	for a := range r.Every() {
		for i := range a.Hops {
			all += a.Hops[i].Waited
		}
	}
	return all
}

// Last returns the last attempt, the one whose facts are exposed.
func (r *Result) Last() *Attempt { return &r.Attempts[len(r.Attempts)-1] }

// Target is what was probed.
type Target struct {
	URL  *url.URL // absolute, http or https; never changed
	Host string   // overrides the Host header and the TLS server name; empty for the URL's
}

// Attempt is one try: one hop, and one more for each redirect that was followed.
type Attempt struct {
	Start   time.Time
	Elapsed time.Duration
	Hops    []Hop    // at least one
	Failure *Failure // nil if the attempt succeeded
}

// LastHop returns the hop at which the attempt ended.
func (a *Attempt) LastHop() *Hop { return &a.Hops[len(a.Hops)-1] }

// Hop is one exchange: name, addresses, connection, response.
type Hop struct {
	URL      string         // as requested, as it may be shown: without secrets
	Spans    []Span         // phases that began, in order; the last may have failed
	Lookup   *Lookup        // what the resolver said; nil for an address literal and where nothing was resolved
	Compared *Comparison    // what the system's resolver said, with compare_with; nil without
	Answers  []netip.Addr   // the target's addresses, in the resolver's order
	Addr     netip.AddrPort // what was dialled: the target's or the proxy's address; zero before connect
	Proxy    string         // the proxy's URL as it may be shown; empty without a proxy
	Wire     *Wire          // what the socket saw; nil when no socket was made
	Waited   time.Duration  // for a CPU to compute on, in no phase
	TLS      *TLSState      // set as soon as a certificate was shown or the handshake finished
	Request  *RequestHead   // set when the request was handed to the connection
	Response *Response      // set as soon as a final response's head arrived
	Upstream *Upstream      // what a gateway's own answer, or a proxy's to CONNECT, states; nil for nothing
}

// Span is the time one phase took.
type Span struct {
	Phase    Phase
	Start    time.Duration // since the attempt began
	Duration time.Duration
	Failed   bool // the phase did not complete
}

// Span returns the hop's span of a phase, and whether the phase began.
func (h *Hop) Span(p Phase) (Span, bool) {
	for _, s := range h.Spans {
		if s.Phase == p {
			return s, true
		}
	}
	return Span{}, false
}

// Lookup is what was seen of the resolver on the wire.
type Lookup struct {
	Host      string
	Exchanges []DNSExchange // questions and what became of each, in order of asking; bounded
}

// TTL is how long the answers may still be used, the shortest of them; -1 without an answer.
func (l *Lookup) TTL() time.Duration {
	least := NoTTL
	for i := range l.Exchanges {
		if ttl := l.Exchanges[i].TTL; ttl != NoTTL && (least == NoTTL || ttl < least) {
			least = ttl
		}
	}
	return least
}

// DNSExchange is one question put to one server.
type DNSExchange struct {
	Server    string // address and port
	Network   string // "udp", "tcp", "tls" or "https"
	Question  string // "api.example.com. AAAA"
	Sent      bool   // the question left this host
	Start     time.Duration
	Duration  time.Duration
	RCode     int           // -1 when no valid answer came
	Answers   int           // records in the answer section
	Truncated bool          // the TC bit: ask again over TCP
	TTL       time.Duration // the shortest of its records; -1 without records
	GivenUp   bool          // no answer: it was not waited for any longer, as the other family had answered
	Errno     syscall.Errno
	Err       error           // the socket's error; nil when an answer came
	Extended  []ExtendedError // of the answer, at most four
}

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

// RequestHead is the request as handed to the connection. Header values may hold secrets: mask before showing.
type RequestHead struct {
	Method string
	URL    string // without userinfo
	Host   string
	Header http.Header
	Body   int64 // bytes
}

// Response is the final response's head and what became of its body.
type Response struct {
	Proto         string // "HTTP/1.1"
	ProtoMajor    int
	ProtoMinor    int
	Status        int
	StatusText    string      // the whole status line without the version, "200 OK"
	Header        http.Header // its first fields, if it is long
	Omitted       int         // fields that are not in Header
	ContentLength int64       // -1 when unknown
	BodyBytes     int64       // bytes read, after decompression
	Complete      bool        // the body was read to its end
	Marks         Marks       // of the body of a status of 500 or more
	Body          []byte      // its beginning, of a probe that failed and whose module has keep_body; else nil
}

// NoTTL stands for an answer without records.
const NoTTL time.Duration = -1

// NoRCode stands for a question that got no valid answer.
const NoRCode = -1

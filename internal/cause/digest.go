package cause

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"errno_exporter/internal/host"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/lifetime"
	"errno_exporter/prober/result"
)

// Remembered is how many digests of a target are kept.
const Remembered = 30

// Evidence is what a verdict is made from.
type Evidence struct {
	Recent      []Digest        // of the target, the oldest first; the last is the newest
	Idle        []IdleConn      // what became of its idle connections, the oldest first
	Lifetime    lifetime.Search // of idle connections, as far as it is measured
	Application Application     // the application's own connections, where they are observed
	Experiments *Experiments    // after a failure; nil if none were made
	Egress      Egress
	Host        host.Record
}

// Experiments are follow-up attempts after a failure. They count for that failure only.
type Experiments struct {
	At    time.Time      // when they ended
	After result.Failure // the failure that they were made for
	Addr  netip.Addr     // the address that failed
	Made  []result.Experiment
}

// experimentsAge is for how long experiments say something about failures of the same kind.
const experimentsAge = 15 * time.Minute

// Egress is what is known of our outbound connectivity.
type Egress struct {
	Known bool // reference targets are configured, and were checked
	Up    bool
	At    time.Time // of the check
	// Without reference targets: how many other networks (/24, /48) are out of reach from here, of how many.
	Unreached, Others int
	// Without them: the rule of internal/egress has our egress down, because of so many targets out of reach, of all.
	Down                bool
	OutOfReach, Targets int
	Impaired            int // unrelated networks to which SYNs were repeated or connections reset in the same minute
}

// Digest is what matters of one probe.
type Digest struct {
	At         time.Time
	Took       time.Duration
	Timeout    time.Duration
	Connecting time.Duration   // of the last hop; 0 if there was none
	Processing time.Duration   // the same
	Failure    *result.Failure // nil if it succeeded
	Failed     *result.Failure // of an earlier attempt, where a later one succeeded
	Late       time.Duration   // by how much the exporter itself was, at the worst moment
	Status     int             // 0 without a response
	Said       Said            // of a failure
	Proxied    bool            // over a connection to a proxy
	Relayed    bool            // by a proxy that reads and writes HTTP: the answer may be its own
	Addr       netip.Addr
	Places     string // of the hops, where redirects led to other hosts or ports
	Protocol   string
	Alert      uint8         // the peer's fatal TLS alert
	CertShown  bool          // the server showed a certificate
	CertAsked  bool          // it asked for one of ours
	Announced  int64         // the body's length as announced; 0 if unknown
	Received   int64         // bytes
	Sent       int64         // bytes
	Progress   bool          // bytes kept coming until shortly before the end
	Reset      *result.Reset // who sent the RST; nil if none, or not captured
	ICMP       *result.ICMP
	SYNRepeats uint32
	Repeats    uint32 // segments of ours that were sent again, SYNs too
	Segments   uint32 // received
	Hole       bool   // received data wait behind a hole
	Lost       bool   // segments, ours or the peer's: a retransmission takes 200 ms and more
	Delivered  bool   // the request was acknowledged
	Stuck      bool   // it was not, though segments were sent again more than once
	Arrived    bool   // something we sent after the handshake was acknowledged, be it behind a hole
	Plain      bool   // a GET without body, and nothing of the module's could be left out
	Addresses  []AddressSeen
	Host       string // that was resolved; empty for an address
	Answers    []netip.Addr
	Answered   bool         // the resolver gave an answer, be it an error
	Fresh      []netip.Addr // the other resolver's, with compare_with
	OtherDNS   bool         // the other resolver answered
	// Kernel is what this host's kernel counted around a failure; nil where it was not read.
	Kernel *counters.Around
}

// What the parts of a digest take in memory, in bytes.
const (
	perDigest   = 640
	perAddrSeen = 32
	perAddr     = 24
)

// Size is about how many bytes of memory the digest takes.
func (o *Digest) Size() int {
	n := perDigest + len(o.Host) + o.Failure.Size() + o.Failed.Size() + perAddrSeen*cap(o.Addresses) +
		perAddr*(cap(o.Answers)+cap(o.Fresh)) + o.Kernel.Size()
	return n + len(o.Said.Limit) + len(o.Said.Proxy) + len(o.Said.Gateway) + len(o.Said.Itself) +
		len(o.Said.Refused) + len(o.Said.Maintenance) + len(o.Protocol) + len(o.Places)
}

// failure is the failure to explain; nil if there is none.
func (o *Digest) failure() *result.Failure {
	if o.Failure != nil {
		return o.Failure
	}
	return o.Failed
}

// AddressSeen is what became of one address.
type AddressSeen struct {
	Addr netip.Addr
	OK   bool
}

// IdleConn is what became of a connection that was to be idle for an age.
type IdleConn struct {
	Age       time.Duration
	Idle      time.Duration
	Used      bool            // again; otherwise it ended while idle
	Failure   *result.Failure // nil if it served a request
	Reset     *result.Reset
	Received  int64
	At        time.Time
	Announced time.Duration // the server's Keep-Alive: timeout=
}

// DigestOf is the digest of a result. late is by how much the exporter itself was.
func DigestOf(r *result.Result, late time.Duration, ended time.Time) Digest {
	last := r.Last()
	hop := last.LastHop()
	o := Digest{
		At: ended, Took: r.Elapsed, Timeout: r.Timeout, Failure: r.Failure.Brief(), Late: late, Addr: hop.Addr.Addr(),
		Answers: hop.Answers,
		Proxied: hop.Proxy != "", Relayed: relayed(hop), Plain: plain(hop.Request),
		Places: places(last.Hops),
	}
	if r.Failure == nil {
		o.Failed = r.Attempts[0].Failure.Brief()
	}
	if s, ok := hop.Span(result.Connect); ok {
		o.Connecting = s.Duration
	}
	if s, ok := hop.Span(result.Processing); ok {
		o.Processing = s.Duration
	}
	if hop.Response != nil {
		o.Status, o.Protocol = hop.Response.Status, hop.Response.Proto
	} else if hop.TLS != nil && hop.TLS.ALPN == "h2" {
		o.Protocol = "HTTP/2.0"
	}
	if r.Failure != nil {
		o.Said = said(hop).withFailure(r.Failure, hop.Upstream)
		o.Announced = announced(hop.Response)
	}
	if hop.TLS != nil {
		o.Alert, o.CertShown, o.CertAsked = hop.TLS.Alert, len(hop.TLS.Chain) > 0, hop.TLS.ClientCertAsked
	}
	if hop.Lookup != nil {
		o.Host = hop.Lookup.Host
	}
	o.addWire(hop.Wire, r.Elapsed)
	o.addNames(last)
	for i := range r.Addresses {
		o.Addresses = append(o.Addresses, AddressSeen{r.Addresses[i].Addr, r.Addresses[i].Failure == nil})
	}
	return o
}

// relayed reports whether a proxy read the request: plain HTTP through an HTTP proxy. What goes through a tunnel is the
// target's.
func relayed(h *result.Hop) bool {
	return h.Proxy != "" && !strings.HasPrefix(h.Proxy, "socks") && strings.HasPrefix(h.URL, "http://")
}

// ordinary are the header fields that every client sends: a request with no others is plain.
var ordinary = map[string]bool{"User-Agent": true, "Accept": true, "Accept-Encoding": true, "Traceparent": true,
	"Tracestate": true, "Connection": true, "Host": true}

// plain reports whether nothing could be left out of a request.
func plain(r *result.RequestHead) bool {
	if r == nil {
		return true
	}
	for name := range r.Header {
		if !ordinary[name] {
			return false
		}
	}
	return r.Method == http.MethodGet && r.Body == 0
}

func announced(r *result.Response) int64 {
	if r == nil || r.Complete {
		return 0
	}
	return max(0, r.ContentLength)
}

func (o *Digest) addNames(a *result.Attempt) {
	first := &a.Hops[0]
	if first.Lookup != nil {
		for i := range first.Lookup.Exchanges {
			o.Answered = o.Answered || first.Lookup.Exchanges[i].RCode >= 0
		}
	}
	if c := first.Compared; c != nil && c.Failure == nil {
		o.Fresh, o.OtherDNS = c.Answers, true
	}
}

func (o *Digest) addWire(w *result.Wire, took time.Duration) {
	if w == nil {
		return
	}
	o.Sent, o.Received, o.Reset, o.ICMP, o.SYNRepeats = w.BytesSent, w.BytesReceived, w.Reset, w.ICMP, w.SYNRetransmits
	if i := w.Info; i != nil {
		o.Progress = w.BytesReceived > 0 && (i.LastDataRecv < took/4 || spread(w.Events, took))
		o.Repeats = i.TotalRetrans
		o.Lost = i.TotalRetrans > 0 || i.OutOfOrder > 0
		o.Hole, o.Delivered, o.Segments = i.OutOfOrderQueued, i.BytesAcked > uint64(w.BytesSent), i.SegsIn
		o.Stuck = w.BytesSent > 0 && !o.Delivered && max(i.Backoff, uint8(min(i.TotalRTO, 255))) > 1
		o.Arrived = i.BytesAcked > 1 || i.Sacked > 0
	}
}

// steadyReads is how many reads, over half of the time, make a body that comes steadily.
const steadyReads = 4

// spread reports whether bytes came over at least half of a probe's time: a slow body comes in bursts with pauses
// between them, and the end of the probe may be in one.
func spread(events []result.Event, took time.Duration) bool {
	calls, first, last := 0, time.Duration(-1), time.Duration(0)
	for i := range events {
		e := &events[i]
		if e.Op != result.OpRead || e.Bytes == 0 {
			continue
		}
		if first < 0 {
			first = e.Start
		}
		calls, last = calls+e.Calls, e.End
	}
	return calls >= steadyReads && last-first > took/2
}

// IdleConnOf takes from the fate of an idle connection what matters.
func IdleConnOf(age time.Duration, r *result.IdleResult, announced time.Duration) IdleConn {
	k := IdleConn{Age: age, Idle: r.Idle, Used: r.Used, Failure: r.Failure, At: r.Ended, Announced: announced}
	if w := r.Attempt.LastHop().Wire; w != nil {
		k.Reset, k.Received = w.Reset, w.BytesReceived
	}
	return k
}

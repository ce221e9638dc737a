package cause

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"errno_exporter/internal/host"
	"errno_exporter/prober"
)

// Evidence is what a verdict is made from.
type Evidence struct {
	Recent   []Observation    // of the target, the oldest first; the last is the newest
	Kept     []Kept           // what last became of its kept connections
	Controls []prober.Control // after its last failure
	Egress   Egress
	Host     host.Record
}

// Egress is what is known of our way out.
type Egress struct {
	Known bool // control targets are configured, and were looked at
	Up    bool
	// Without control targets: how many other targets are out of reach from here, of how many, at how many addresses.
	Unreached, Others int
}

// Observation is what matters of one probe.
type Observation struct {
	At         time.Time
	Took       time.Duration
	Timeout    time.Duration
	Processing time.Duration   // of the last hop; 0 if there was none
	Failure    *prober.Failure // nil if it succeeded
	Failed     *prober.Failure // of an earlier attempt, where a later one succeeded
	Late       time.Duration   // by how much the exporter itself was, at the worst moment
	Status     int             // 0 without a response
	RetryAfter bool
	Addr       netip.Addr
	Protocol   string
	Received   int64         // bytes
	Progress   bool          // bytes came shortly before the end
	Reset      *prober.Reset // who sent the RST; nil if none, or not captured
	ICMP       *prober.ICMP
	SYNRepeats uint32
	Hole       bool // received data wait behind a hole
	Delivered  bool // the request was acknowledged
	Plain      bool
	Addresses  []AddressSeen // with addresses: all
	Answers    []netip.Addr
	Fresh      []netip.Addr // the other resolver's, with compare_with
	OtherDNS   bool         // the other resolver answered
}

// AddressSeen is what became of one address.
type AddressSeen struct {
	Addr netip.Addr
	OK   bool
}

// Kept is what last became of a connection kept for an age.
type Kept struct {
	Age       time.Duration
	Idle      time.Duration
	Used      bool // again; otherwise it ended while idle
	Failure   *prober.Failure
	Reset     *prober.Reset
	Received  int64
	At        time.Time
	Announced time.Duration // the server's Keep-Alive: timeout=
}

// progressWithin is how shortly before the end bytes must have come for the answer to have been on its way: a share of the time.
const progressWithin = 4

// Observe takes from a result what matters. late is by how much the exporter itself was.
func Observe(r *prober.Result, late time.Duration, ended time.Time) Observation {
	last := r.Last()
	hop := last.LastHop()
	o := Observation{
		At: ended, Took: r.Elapsed, Timeout: r.Timeout, Failure: r.Failure.Brief(), Late: late, Addr: hop.Addr.Addr(), Answers: hop.Answers,
		Plain: hop.Request == nil || hop.Request.Method == http.MethodGet && hop.Request.Body == 0,
	}
	if r.Failure == nil && len(r.Attempts) > 1 {
		o.Failed = r.Attempts[0].Failure.Brief()
	}
	if s, ok := hop.Span(prober.Processing); ok {
		o.Processing = s.Duration
	}
	if hop.Response != nil {
		o.Status, o.Protocol, o.RetryAfter = hop.Response.Status, hop.Response.Proto, hop.Response.Header.Get("Retry-After") != ""
	} else if hop.TLS != nil && hop.TLS.ALPN == "h2" {
		o.Protocol = "HTTP/2.0"
	}
	o.addWire(hop.Wire, r.Elapsed)
	for i := range r.Addresses {
		o.Addresses = append(o.Addresses, AddressSeen{r.Addresses[i].Addr, r.Addresses[i].Failure == nil})
	}
	if c := last.Hops[0].Compared; c != nil && c.Failure == nil {
		o.Fresh, o.OtherDNS = c.Answers, true
	}
	return o
}

func (o *Observation) addWire(w *prober.Wire, took time.Duration) {
	if w == nil {
		return
	}
	o.Received, o.Reset, o.ICMP, o.SYNRepeats = w.BytesReceived, w.Reset, w.ICMP, w.SYNRetransmits
	if i := w.Info; i != nil {
		o.Progress = w.BytesReceived > 0 && i.LastDataRecv < took/progressWithin
		o.Hole, o.Delivered = i.OutOfOrderQueued, i.BytesAcked > uint64(w.BytesSent)
	}
}

// ObserveKept takes from the fate of a kept connection what matters.
func ObserveKept(age time.Duration, r *prober.KeptResult, announced time.Duration) Kept {
	k := Kept{Age: age, Idle: r.Idle, Used: r.Used, Failure: r.Failure, At: r.Ended, Announced: announced}
	if w := r.Attempt.LastHop().Wire; w != nil {
		k.Reset, k.Received = w.Reset, w.BytesReceived
	}
	return k
}

// control finds a control attempt of a kind; ok says that it was made.
func (e *Evidence) control(kind prober.ControlKind) (c prober.Control, ok bool) {
	i := slices.IndexFunc(e.Controls, func(c prober.Control) bool { return c.Kind == kind })
	if i < 0 {
		return prober.Control{}, false
	}
	return e.Controls[i], true
}

// cures reports whether a control attempt succeeded where the same again failed.
func (e *Evidence) cures(kind prober.ControlKind) bool {
	again, repeated := e.control(prober.Again)
	worked := slices.ContainsFunc(e.Controls, func(c prober.Control) bool { return c.Kind == kind && c.Failure == nil })
	return worked && repeated && again.Failure != nil
}

package result

import (
	"iter"
	"net/http"
	"net/netip"
	"net/url"
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
	// Doubt is by how much at most the duration may be wrong because this process waited for a CPU: all of it where both
	// ends are by the process's own clock, nothing where they are by the kernel's timestamps of the segments themselves.
	Doubt time.Duration
}

// Doubt is by how much at most the duration of a phase, in one of the attempts, may be wrong because this process
// waited for a CPU.
func (r *Result) Doubt() time.Duration {
	worst := time.Duration(0)
	for a := range r.Every() {
		for i := range Phases {
			worst = max(worst, a.doubt(Phases[i].Phase))
		}
	}
	return worst
}

// doubt is that of one phase, over all hops.
func (a *Attempt) doubt(p Phase) (all time.Duration) {
	for i := range a.Hops {
		if s, began := a.Hops[i].Span(p); began {
			all += s.Doubt
		}
	}
	return all
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

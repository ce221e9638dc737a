package prober

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/http3"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// Options are the few things of a Prober that its owner decides.
type Options struct {
	UserAgent string // sent unless the module's headers name another
	Resets    Resets // reports who sent a RST; nil: nobody looks
	Resolver  string // host:port of a DNS server to ask instead of the system's; empty for the system's

	Panicked guard.Report // is called with panics that are no attempt's failure; may be nil
}

// Prober probes. It keeps no connection and no result between probes, and may be used by many goroutines.
type Prober struct {
	options   Options
	instance  string          // names this exporter in its requests
	http1     *http.Transport // turn prepared connections into client connections; dial and pool nothing
	http2     *http.Transport
	keep1     *http.Transport // the same, for connections that are kept
	keep2     *http.Transport
	http3     *http3.Transport
	stamping  *os.File      // keeps the kernel noting arrivals; nil where it cannot
	computing chan struct{} // has room for as many handshakes as there are CPUs
	judging   chan struct{} // has room for one who takes a large body apart: that needs dozens of times the body's memory
	heads     *room         // for large heads
	bodies    *room         // for large bodies and their decompressors
	verified  *verified     // certificates
	probing   atomic.Int64  // probes under way
	buffers   sync.Pool     // *[]byte of bodyBuffer bytes, to read bodies into
	flights   sync.Pool     // *bufio.Reader of flightSize bytes, to read handshakes ahead
}

// New returns a Prober.
func New(options Options) *Prober {
	return &Prober{
		options:  options,
		instance: instance(),
		http1:    newTransport((*http.Protocols).SetHTTP1),
		http2:    newTransport((*http.Protocols).SetUnencryptedHTTP2),
		keep1:    newKeepTransport((*http.Protocols).SetHTTP1),
		keep2:    newKeepTransport((*http.Protocols).SetUnencryptedHTTP2),
		http3:    newHTTP3(),
		stamping: stampHolder(), computing: make(chan struct{}, runtime.GOMAXPROCS(0)),
		judging: make(chan struct{}, 1), heads: newRoom(roomHeads), bodies: newRoom(roomBodies), verified: newVerified(),
		flights: sync.Pool{New: func() any { return bufio.NewReaderSize(nil, flightSize) }},
		buffers: sync.Pool{New: func() any { b := make([]byte, bodyBuffer); return &b }},
	}
}

// Probe probes the target once as the module says. What happens to a target is a Result, never an error. The probe ends at
// the context's deadline or the module's timeout, whichever is sooner; a context that is cancelled gives reason abandoned.
func (p *Prober) Probe(ctx context.Context, t Target, m *config.Module) result.Result {
	start := time.Now()
	p.probing.Add(1)
	defer p.probing.Add(-1)
	if at, ok := ctx.Deadline(); m.Timeout > 0 && (!ok || at.After(start.Add(m.Timeout))) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.Timeout)
		defer cancel()
	}
	r := result.Result{Target: t.named(), URL: result.Cut(m.MaskURL(t.URL), result.MaxShownURL), Module: m.Name, Start: start}
	if at, ok := ctx.Deadline(); ok {
		r.Timeout = at.Sub(start)
		if r.Timeout > time.Second {
			r.Timeout = r.Timeout.Round(time.Millisecond) // the moments since it was set are not what was given
		}
	}
	if m.Trace {
		r.TraceID = newTraceID()
	}
	if m.AllAddresses {
		p.probeAddresses(ctx, t, &r, m)
	} else {
		r.Attempts = p.attempts(p.newAttempt(ctx, t, m, r.TraceID))
		r.Failure = r.Last().Failure
	}
	r.Elapsed = time.Since(start)
	return r
}

// attempt is one try while it goes on.
type attempt struct {
	prober   *Prober
	ctx      context.Context
	module   *config.Module
	target   Target
	traceID  string
	start    time.Time
	record   result.Attempt
	answers  []netip.Addr                // all that were found with it
	lookup   *result.Lookup              // by which
	addr     netip.Addr                  // the target's address to use, found before; zero: resolve its name
	compared func() *result.Comparison   // waits for the system's resolver; nil unless it was asked beside
	found    func(*hop)                  // is told of the target's addresses, once; may be nil
	hop      *hop                        // the last one; nil before the first
	keep     bool                        // the connection is wanted after the exchange
	stop     result.Phase                // the last phase that is wanted; empty for all
	segment  int                         // the maximum segment size; 0 for the kernel's choice
	ttl      int                         // of the packets; 0 for the kernel's choice
	aside    atomic.Pointer[guard.Panic] // of a goroutine that works for it; tooLate when it is over
	rooms    rooms                       // in memory, for what is large
	left     bool                        // a redirect led to another origin: credentials stay behind from there on
}

func (a *attempt) elapsed() time.Duration { return time.Since(a.start) }

func (p *Prober) newAttempt(ctx context.Context, t Target, m *config.Module, traceID string) *attempt {
	a := &attempt{prober: p, ctx: ctx, module: m, target: t, traceID: traceID, start: time.Now()}
	a.record.Start = a.start
	a.record.Hops = make([]result.Hop, 0, 1)
	return a
}

// run runs one attempt and returns its last hop.
func (a *attempt) run() *hop {
	a.guarded(a.runHops)
	a.hide()
	a.record.Cut()
	a.leave()
	return a.hop
}

// runHops runs the hops of one attempt: the target, and one more for each redirect followed.
func (a *attempt) runHops() {
	defer func() {
		if a.compared != nil {
			a.record.Hops[0].Compared = a.comparison()
		}
		a.record.Elapsed = a.elapsed()
	}()
	h := a.newHop(a.firstRequest())
	body := h.run()
	if h.failure == nil && a.stop != "" {
		return
	}
	if h.failure == nil && a.follows(h) {
		body = a.follow()
		h = a.hop
	}
	h.validate(body)
	if h.failure == nil && h.Response != nil {
		h.Response.Body = nil
	}
}

func (a *attempt) newHop(request *http.Request) *hop {
	a.record.Hops = append(a.record.Hops, result.Hop{URL: result.Cut(a.module.MaskURL(request.URL), result.MaxShownURL), Spans: make([]result.Span, 0, 8)})
	a.hop = &hop{Hop: a.record.LastHop(), attempt: a, bare: request, request: request, waited: a.waitedForRoom()}
	return a.hop
}

// hop is one exchange while it goes on.
type hop struct {
	*result.Hop
	attempt  *attempt
	bare     *http.Request    // without what authorize adds
	request  *http.Request    // as it is sent
	socket   *recorder        // nil until the TCP connection stands
	quic     *quicConnection  // nil unless HTTP/3 is spoken
	stream   net.Conn         // what the next layer speaks over: the socket, or TLS on it
	disarm   func() bool      // takes our deadline off the socket
	proxyTLS bool             // the proxy is spoken to over TLS
	forward  *url.URL         // the proxy that is sent the request itself; nil: there is a tunnel, or no proxy
	head     *headConn        // net/http's view of an HTTP/1 stream; nil before the exchange
	client   *http.ClientConn // net/http's view of the connection; nil before the exchange
	response *http.Response   // as net/http gave it; its head is copied to Response
	waited   time.Duration    // for memory, of what its attempt has waited
	failure  *result.Failure
}

// run is the definition of the phases: one step after the other, and the step that fails is the phase of the failure. It returns
// the body, as far as the module's checks need it.
func (h *hop) run() []byte {
	host, port, err := hostPort(h.request.URL)
	if err != nil {
		h.fail(result.Resolve, h.attempt.elapsed(), result.Failure{Reason: result.ProbeConfig, Origin: result.Self, Err: err})
		return nil
	}
	if err := h.authorize(); err != nil {
		return nil
	}
	proxy, err := h.attempt.proxyFor(h.request)
	if err != nil {
		h.fail(result.Proxy, h.attempt.elapsed(), result.Failure{Reason: result.ProbeConfig, Origin: result.Self, Err: err})
		return nil
	}
	if (proxy == nil || !h.attempt.module.SkipResolve) && !h.resolve(host) {
		return nil
	}
	if err := h.permitted(host); err != nil {
		phase := result.Connect
		if proxy != nil {
			phase = result.Proxy
		}
		h.fail(phase, h.attempt.elapsed(), result.Failure{Reason: result.LocalDenied, Origin: result.Self, Err: err})
		return nil
	}
	if h.attempt.module.EnableHTTP3 {
		return h.runHTTP3(host, port)
	}
	defer h.finish()
	if proxy == nil {
		err = h.connect(port)
	} else {
		err = h.tunnel(proxy, host, port)
	}
	if err != nil || h.attempt.stop == result.Connect {
		return nil
	}
	if h.request.URL.Scheme == "https" {
		if err = h.secure(host); err != nil {
			return nil
		}
	}
	if h.attempt.stop != "" {
		return nil
	}
	return h.exchange()
}

// own takes the connection that the rest of the hop speaks over. From here on our deadline is the socket's: nothing waits
// beyond it, whatever layer it waits in.
func (h *hop) own(conn *recorder) {
	h.socket, h.stream = conn, conn
	h.disarm = guard.Report(h.attempt.caught).AfterFunc(h.attempt.ctx, conn.interrupt)
}

// finish closes the connection unless it is kept.
func (h *hop) finish() {
	if h.keeps() && h.disarm() {
		h.Wire = h.socket.seen()
		return
	}
	h.close()
}

// close closes the connection, if one was made, and keeps what it saw. It may be called more than once.
func (h *hop) close() {
	if h.quic != nil {
		h.quic.close()
		h.Wire = h.quic.socket.seen()
	}
	if h.socket == nil {
		return
	}
	h.disarm()
	_ = h.socket.Close() // nothing is lost: the exchange is over or has failed
	h.Wire = h.socket.seen()
}

// done adds the span of a phase that completed.
func (h *hop) done(p result.Phase, began, ended time.Duration) {
	h.Spans = append(h.Spans, result.Span{Phase: p, Start: began, Duration: max(0, ended-began-h.waitedIn(p))})
}

// fail adds the span of the phase that failed, and ends the attempt with its failure.
func (h *hop) fail(p result.Phase, began time.Duration, f result.Failure) {
	h.failAt(p, began, h.attempt.elapsed(), f)
}

func (h *hop) failAt(p result.Phase, began, ended time.Duration, f result.Failure) {
	h.Spans = append(h.Spans, result.Span{Phase: p, Start: began, Duration: max(0, ended-began-h.waitedIn(p)), Failed: true})
	if short := h.attempt.noRoom(); short != nil {
		f = *short
	}
	f.Phase, f.Err = p, bug(f.Err)
	if _, ok := errors.AsType[*guard.Panic](f.Err); ok { // of ours, in a goroutine of a library
		f.Reason, f.Origin, f.Errno = result.Unknown, result.Self, 0
	}
	h.provenance(&f)
	h.failure = &f
	h.attempt.record.Failure = &f
}

// resolve finds the target's addresses; an address literal has itself.
func (h *hop) resolve(host string) bool {
	began := h.attempt.elapsed()
	if h.attempt.pinned(h) {
		h.Answers, h.Lookup, h.Addr = h.attempt.answers, h.attempt.lookup, netip.AddrPortFrom(h.attempt.addr, 0)
		h.done(result.Resolve, began, began)
		return true
	}
	if addr, ok := literal(host); ok {
		h.Answers = []netip.Addr{addr}
	} else {
		if r := h.attempt.module.Resolver; r != nil && r.CompareSystem && len(h.attempt.record.Hops) == 1 {
			h.attempt.compared = h.attempt.compare(host)
		}
		var err error
		h.Answers, h.Lookup, err = h.attempt.resolve(host)
		if err != nil {
			h.fail(result.Resolve, began, classify.Failure(lookupEvidence(h.Lookup, err, h.attempt.ending(err))))
		}
		h.Lookup.Cut()
		if err != nil {
			return false
		}
	}
	addr, ok := pick(h.Answers, h.attempt.module.PreferIPv6, h.attempt.module.IPProtocolFallback)
	if !ok {
		h.fail(result.Resolve, began, result.Failure{Reason: result.DNSNoData, Origin: result.Peer, Err: errNoFamily})
		return false
	}
	h.Addr = netip.AddrPortFrom(addr, 0)
	h.done(result.Resolve, began, h.attempt.elapsed())
	if found := h.attempt.found; found != nil {
		h.attempt.found = nil
		found(h)
	}
	return true
}

var errNoFamily = errors.New("no address of the preferred family, and ip_protocol_fallback is off")

// connect makes the TCP connection to the address that was resolved.
func (h *hop) connect(port uint16) error {
	began := h.attempt.elapsed()
	h.Addr = netip.AddrPortFrom(h.Addr.Addr(), port)
	conn, wire, err := h.attempt.connect(h.Addr)
	if err != nil {
		h.Wire = wire
		h.fail(result.Connect, began, classify.Failure(dialEvidence(wire, err, h.attempt.ending(err))))
		return err
	}
	h.own(conn)
	h.done(result.Connect, max(began, conn.wire.Began), conn.wire.Stood)
	return nil
}

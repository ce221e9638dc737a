package prober

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/http3"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/revocation"
	"errno_exporter/prober/socket"
)

// Options are the few things of a Prober that its owner decides.
type Options struct {
	UserAgent string // sent unless the module's headers name another
	Resets    Resets // reports who sent a RST; nil: it is not measured
	Resolver  string // host:port of a DNS server to ask instead of the system's; empty for the system's
	// Distances remembers the TTLs of servers between experiments; nil: each one measures them.
	Distances *Distances

	Panicked guard.Report // is called with panics that are no attempt's failure; may be nil

	Own *socket.Own // notes the sockets of connections; may be nil
}

// Prober probes. It keeps no connection and no result between probes, and may be used by many goroutines.
type Prober struct {
	options   Options
	instance  string          // names this exporter in its requests
	http1     *http.Transport // turn prepared connections into client connections; dial and pool nothing
	http2     *http.Transport
	idle1     *http.Transport // the same, for connections that stay open
	idle2     *http.Transport
	http3     *http3.Transport
	stamping  *os.File // keeps the kernel timestamping arrivals; nil where it cannot
	lookout   *socket.Lookout
	computing chan struct{} // has room for as many handshakes as there are CPUs
	// has room for one probe that parses a large body: that needs dozens of times the body's memory
	parsing  chan struct{}
	matching chan struct{}     // has room for as many large bodies as are compared with expressions at a time
	heads    *room             // for large heads
	fields   *room             // for heads of many fields
	bodies   *room             // for large bodies and their decompressors
	huge     *room             // for bodies larger than growAtOnce
	verified *verified         // certificates
	lists    *revocation.Store // of revoked certificates
	staples  *revocation.Staples
	probing  atomic.Int64 // probes under way
	buffers  sync.Pool    // *[]byte of bodyBuffer bytes, to read bodies into
	flights  sync.Pool    // *bufio.Reader of flightSize bytes, to read handshakes ahead
}

// New returns a Prober.
func New(options Options) *Prober {
	return &Prober{
		options:  options,
		instance: instance(),
		http1:    newTransport((*http.Protocols).SetHTTP1),
		http2:    newTransport((*http.Protocols).SetUnencryptedHTTP2),
		idle1:    newIdleTransport((*http.Protocols).SetHTTP1),
		idle2:    newIdleTransport((*http.Protocols).SetUnencryptedHTTP2),
		http3:    newHTTP3(),
		stamping: socket.HoldStamping(), lookout: socket.NewLookout(), computing: make(chan struct{}, runtime.GOMAXPROCS(0)),
		parsing:  make(chan struct{}, 1),
		matching: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		heads:    newRoom(roomHeads), bodies: newRoom(roomBodies), huge: newRoom(roomHuge), fields: newRoom(roomFields),
		verified: newVerified(),
		lists:    revocation.NewStore(), staples: revocation.NewStaples(),
		flights: sync.Pool{New: func() any { return bufio.NewReaderSize(nil, flightSize) }},
		buffers: sync.Pool{New: func() any { b := make([]byte, bodyBuffer); return &b }},
	}
}

// Target is what to probe, parsed once.
type Target struct {
	URL  *url.URL // absolute, http or https; never changed after ParseTarget
	Host string   // overrides the Host header and the TLS server name (the hostname parameter); empty for the URL's

	// which addresses may be dialled; nil: any. It is checked on the very address, on every hop
	Policy     *module.Networks
	Configured bool // the operator named the URL's host, which the policy therefore leaves alone
}

// named is the target as a Result names it.
func (t *Target) named() result.Target { return result.Target{URL: t.URL, Host: t.Host} }

// ParseTarget reads a target as it is asked for: a URL, or a host with an optional port and path, for which http:// is
// assumed as in blackbox_exporter. The error is one line that names the value and the fix.
func ParseTarget(raw string) (Target, error) {
	if strings.TrimSpace(raw) == "" {
		return Target{}, errors.New(`target is missing: add target=URL, such as target=https://api.example.com/health`)
	}
	u, err := module.ParseURL(raw)
	if err != nil {
		return Target{}, fmt.Errorf("target %w", err)
	}
	return Target{URL: u}, nil
}

// Probe probes the target once as the module says. What happens to a target is a Result, never an error. The probe ends
// at the context's deadline or the module's timeout, whichever is sooner; a context that is cancelled gives reason
// abandoned.
func (p *Prober) Probe(ctx context.Context, t Target, m *module.Module) (r result.Result) {
	start := time.Now()
	p.probing.Add(1)
	defer p.probing.Add(-1)
	p.lookout.Look()
	if at, ok := ctx.Deadline(); m.Timeout > 0 && (!ok || at.After(start.Add(m.Timeout))) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.Timeout)
		defer cancel()
	}
	// into the result itself: a copy would be on the stack of every probe that waits
	r.Target, r.URL, r.Module, r.Start = t.named(), result.Cut(m.MaskURL(t.URL), result.MaxShownURL), m.Name, start
	if at, ok := ctx.Deadline(); ok {
		r.Timeout = given(at.Sub(start), m.Timeout)
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

// moments is what passes at most, on a host that is not overloaded, from when a deadline is set until the probe begins.
const moments = 5 * time.Millisecond

// given is how long the probe may take, of which this is left: the moments since its deadline was set are not missing
// from what it was given.
func given(left, timeout time.Duration) time.Duration {
	if timeout > 0 && (timeout-left).Abs() < moments {
		return timeout
	}
	if rest := left % time.Millisecond; rest > 0 {
		left += time.Millisecond - rest
	}
	return left
}

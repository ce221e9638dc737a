package prober_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// outcome is what a fault is called: every label, and the check that refused a response.
type outcome struct {
	Phase  result.Phase
	Reason result.Reason
	Errno  syscall.Errno
	Origin result.Origin
	Check  result.Check
}

func outcomeOf(f *result.Failure) outcome {
	if f == nil {
		return outcome{}
	}
	return outcome{f.Phase, f.Reason, f.Errno, f.Origin, f.Check}
}

// success is the outcome of a probe that did not fail.
var success = outcome{}

// fault is one row: a server, the module to probe it with, and what it must be called. Where the outcome is decided by
// a race that no observer could win, want lists each.
type fault struct {
	name   string
	serve  func(faultlab.Host) string
	module func(*module.Module) // what differs from a module with every default, IPv4 and the lab's CA
	runs   int                  // probes in one test run: 50 where a race is possible
	want   []outcome
}

const (
	raced = 50
	once  = 1
)

// patience is the deadline of faults that end with one, and ample for all others.
const (
	patience = 400 * time.Millisecond
	ample    = 20 * time.Second
	hangs    = 5 * time.Second // longer than any scheduler keeps a goroutine waiting: what ends later was hanging
)

// Changes of the module.
var (
	asIs    = func(*module.Module) {}
	briefly = func(m *module.Module) { m.Timeout = patience }
	// uploading sends more than all the buffers on the way hold.
	uploading = func(m *module.Module) { m.Method, m.Body = http.MethodPost, make([]byte, 64<<20) }
	// stuck sends more than the buffers hold to a server that does not read, and gives up.
	stuck = func(m *module.Module) { uploading(m); briefly(m) }
	gzip  = func(m *module.Module) { m.Compression = "gzip" }
)

// from sends from a source address.
func from(addr string) func(*module.Module) {
	return func(m *module.Module) { m.SourceIP = netip.MustParseAddr(addr) }
}

// sending sends a header of so many bytes.
func sending(n int) func(*module.Module) {
	return func(m *module.Module) { m.Header = http.Header{"X-Long": {strings.Repeat("x", n)}} }
}

func answering(bytes string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.Answer(h, bytes) }
}

func status(code int, header ...string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.Status(h, code, header...) }
}

func labModule() *module.Module {
	m := module.New("lab")
	m.Timeout, m.PreferIPv6 = ample, false
	m.TLS.RootCAs = faultlab.Roots()
	return m
}

func through(proxy string) func(*http.Request) (*url.URL, error) {
	u, err := url.Parse(proxy)
	return func(*http.Request) (*url.URL, error) { return u, err }
}

var (
	peerReset  = outcome{result.Processing, result.TCPReset, syscall.ECONNRESET, result.Peer, ""}
	peerClosed = outcome{result.Processing, result.TCPClosed, 0, result.Peer, ""}
	tooSlow    = outcome{result.Processing, result.HTTPResponseTimedOut, 0, result.Self, ""}
	notHTTP    = outcome{result.Transfer, result.HTTPProtocolError, 0, result.Peer, ""}
	cutBody    = outcome{result.Transfer, result.TCPClosed, 0, result.Peer, ""}
	resetBody  = outcome{result.Transfer, result.TCPReset, syscall.ECONNRESET, result.Peer, ""}
	stalled    = outcome{result.Transfer, result.HTTPResponseTimedOut, 0, result.Self, ""}
	// a busy machine may not even get the head in time
	headless = outcome{result.Processing, result.HTTPResponseTimedOut, 0, result.Self, ""}
	badBody  = outcome{result.Transfer, result.HTTPResponseInvalid, 0, result.Peer, ""}
)

func statusError(reason result.Reason) outcome {
	return outcome{result.Validate, reason, 0, "", result.CheckStatus}
}

func at(phase result.Phase, o outcome) outcome { o.Phase = phase; return o }

// probeFaults probes each row's server as often as it says, rows side by side.
func probeFaults(t *testing.T, rows []fault) {
	p := prober.New(prober.Options{UserAgent: "errno_exporter/test"})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := labModule()
			row.module(m)
			target := row.serve(t)
			for range row.runs {
				r := probe(t, p, target, m)
				if got := outcomeOf(r.Failure); !slices.Contains(row.want, got) {
					t.Fatalf("Probe(%s) = %+v, want one of %+v%s", target, got, row.want, evidence(&r))
				}
				if r.Elapsed > m.Timeout+hangs {
					t.Errorf("Probe(%s) took %v, its timeout is %v", target, r.Elapsed, m.Timeout)
				}
			}
		})
	}
}

func TestTCPFaults(t *testing.T) { probeFaults(t, tcpFaults) }

var tcpFaults = []fault{
	{"a source address that is not this host's", faultlab.ClosedPort, from("192.0.2.1"), 5,
		[]outcome{{result.Connect, result.ProbeConfig, syscall.EADDRNOTAVAIL, result.Self, ""}}},
	{"a source address of the other family", faultlab.ClosedPort, from("::1"), 5,
		[]outcome{{result.Connect, result.ProbeConfig, 0, result.Self, ""}}},
	{"nothing listens", faultlab.ClosedPort, asIs, 5,
		[]outcome{{result.Connect, result.TCPRefused, syscall.ECONNREFUSED, result.Peer, ""}}},
	{"accept queue full", faultlab.NeverAccepts, briefly, once,
		[]outcome{{result.Connect, result.TCPTimedOut, 0, result.Self, ""}}},
	{"RST on accept", faultlab.ResetOnAccept, asIs, raced,
		[]outcome{at(result.Connect, peerReset), at(result.Request, peerReset), peerReset}},
	{"FIN on accept", faultlab.CloseOnAccept, asIs, raced, []outcome{at(result.Request, peerClosed), peerClosed}},
	{"silence", faultlab.Silent, briefly, once, []outcome{tooSlow}},
	{"window closed", faultlab.NeverReads, stuck, once,
		[]outcome{{result.Request, result.TCPStalled, 0, result.Self, ""}}},
}

func TestHTTP1Faults(t *testing.T) {
	probeFaults(t, http1Faults())
	claims.Prove(t, "URL of a target", 8<<10)
	claims.Prove(t, "request head", 64<<10)
}

func http1Faults() []fault {
	rows := []fault{
		{"RST after the request", faultlab.ResetAfterRequest, asIs, raced, []outcome{peerReset}},
		{"close with unread request", faultlab.CloseWithUnreadRequest, asIs, raced, []outcome{peerReset}},
		{"FIN after the request", faultlab.FinAfterRequest, asIs, raced, []outcome{peerClosed}},
		{"RST in a body with length", faultlab.ResetMidBody, asIs, raced, []outcome{resetBody}},
		{"RST in a chunk", faultlab.ResetMidChunk, asIs, raced, []outcome{resetBody}},
		{"RST in an HTTP/1.0 body", faultlab.ResetMidBody10, asIs, raced, []outcome{resetBody}},
		{"FIN in a body with length", faultlab.FinMidBody, asIs, raced, []outcome{cutBody}},
		{"FIN in a chunk", faultlab.FinMidChunk, asIs, raced, []outcome{cutBody}},
		{"FIN ends the body", faultlab.FinEndsBody, asIs, raced, []outcome{success}},
		{"HTTP/1.0", faultlab.HTTP10, asIs, raced, []outcome{success}},
		{"stall in the body", faultlab.StallMidBody, briefly, once, []outcome{stalled}},
		{"1xx, then RST", faultlab.InformationalThenReset, asIs, raced, []outcome{peerReset}},
		{"1xx, then silence", faultlab.InformationalThenSilence, briefly, once, []outcome{tooSlow}},
		{"head of 2 MiB", faultlab.HugeHead, asIs, 5,
			[]outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"RST in an upload", faultlab.ResetMidUpload, uploading, raced, []outcome{at(result.Request, peerReset)}},
		{"FIN in an upload", faultlab.FinMidUpload, uploading, raced, []outcome{at(result.Request, peerClosed)}},
		// the RST discards an answer that a busy machine has not read yet (RFC 2525 section 2.17)
		{"413 and close in an upload", faultlab.RefusesUpload, uploading, raced,
			[]outcome{statusError(result.HTTPError), at(result.Request, peerReset)}},
		{"413 and FIN in an upload", faultlab.RefusesUploadGently, uploading, raced,
			[]outcome{statusError(result.HTTPError)}},
		{"garbage for a status line", answering("garbage\r\n\r\n"), asIs, 5, []outcome{notHTTP}},
		{"status that is no number", answering("HTTP/1.1 OK fine\r\n\r\n"), asIs, 5, []outcome{notHTTP}},
		{"status below 100", answering("HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"), asIs, 5, []outcome{notHTTP}},
		{"header without a colon", answering("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), asIs, 5, []outcome{notHTTP}},
		{"two lengths that differ", answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
			asIs, 5, []outcome{notHTTP}},
		{"unknown transfer encoding", answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: strange\r\n\r\n"), asIs, 5,
			[]outcome{notHTTP}},
		{"TLS alert in clear", answering("\x15\x03\x01\x00\x02\x02\x28\r\n"), asIs, 5, []outcome{notHTTP}},
		{"bad chunk length", answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), asIs, 5,
			[]outcome{badBody}},
		{"bad trailer", answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\nno " +
			"colon\r\n\r\n"), asIs, 5, []outcome{badBody}},
		{"bytes after the body", answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"), asIs, 5,
			[]outcome{success}},
		{"not gzip", faultlab.GarbageGzip, gzip, 5, []outcome{badBody}},
		{"half of a gzip stream", faultlab.TruncatedGzip, gzip, 5, []outcome{badBody}},
		{"empty, where gzip is demanded", answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), gzip, once,
			[]outcome{badBody}},
		{"no chunk, where gzip is demanded", answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
			gzip, once, []outcome{badBody}},
		{"404 and empty, where gzip is demanded", status(404), gzip, once, []outcome{statusError(result.HTTPError)}},
		{"503 in clear, where gzip is demanded", answering("HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy"), gzip, once,
			[]outcome{statusError(result.HTTPError)}},
		{"stall before a gzip head", faultlab.Silent, func(m *module.Module) { gzip(m); briefly(m) }, once,
			[]outcome{tooSlow}},
		{"404", status(404), asIs, once, []outcome{statusError(result.HTTPError)}},
		{"417", status(417), asIs, once, []outcome{statusError(result.HTTPError)}},
		{"429", status(429), asIs, once, []outcome{statusError(result.HTTPRateLimited)}},
		{"503", status(503), asIs, once, []outcome{statusError(result.HTTPError)}},
		{"503 with Retry-After", status(503, "Retry-After", "5"), asIs, once,
			[]outcome{statusError(result.HTTPRateLimited)}},
		{"101 that nobody asked for", answering("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: " +
			"x\r\n\r\n"), briefly, once, []outcome{statusError(result.HTTPError)}},
		{"101 that is wanted", answering("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: " +
			"x\r\n\r\n\x81\x01a"), func(m *module.Module) { m.ValidStatusCodes = []int{101} }, once, []outcome{success}},
		{"302 without Location", status(302), asIs, once, []outcome{statusError(result.HTTPError)}},
		{"bad Location", status(302, "Location", "http://a b/%zz"), asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}}},
		{"request head of nearly 64 KiB", status(200), sending(63 << 10), once, []outcome{success}},
		{"request head of more than 64 KiB", status(200), sending(64 << 10), once,
			[]outcome{{result.Request, result.ProbeConfig, 0, result.Self, ""}}},
		{"redirects whose cookies make one", faultlab.RedirectsWithCookies, sending(48 << 10), once,
			[]outcome{{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}}},
		{"redirects whose cookies make none", faultlab.RedirectsWithCookies, sending(8 << 10), once,
			[]outcome{{result.Validate, result.HTTPRedirectLoop, 0, result.Self, result.CheckRedirect}}},
		{"Location of more than 8 KiB", status(302, "Location", "/"+strings.Repeat("a", 8<<10)), asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}}},
		{"Location of nearly 8 KiB", status(302, "Location", "/"+strings.Repeat("a", 8000)), asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectLoop, 0, result.Self, result.CheckRedirect}}},
		{"redirect to ftp", status(302, "Location", "ftp://files.example/"), asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}}},
		{"redirect loop", status(302, "Location", "/"), asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectLoop, 0, result.Self, result.CheckRedirect}}},
	}
	for _, n := range []int{1, 4, 8, 9, 12, 15, 17, 20, 30, 40, 60, 66} {
		cut := func(serve func(faultlab.Host, int) string) func(faultlab.Host) string {
			return func(h faultlab.Host) string { h.Helper(); return serve(h, n) }
		}
		rows = append(rows,
			fault{"RST in the head", cut(faultlab.ResetMidHead), asIs, raced, []outcome{resetBody}},
			fault{"FIN in the head", cut(faultlab.FinMidHead), asIs, raced, []outcome{cutBody}})
	}
	return rows
}

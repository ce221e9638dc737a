// Package resulttest has records of probes for the tests of what is made from Results: samples, pages, log lines.
package resulttest

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"errno_exporter/prober/result"
)

// Record is one probe as Probe would have recorded it.
type Record struct {
	Name   string // the situation, fit to be a file name
	Result result.Result
}

// Records returns a fresh copy of every record.
func Records() []Record {
	return []Record{
		{"http_success", HTTPSuccess()},
		{"https_h2_redirect", HTTPSRedirect()},
		{"name_does_not_exist", NameDoesNotExist()},
		{"connect_refused", ConnectRefused()},
		{"connect_admin_prohibited", AdminProhibited()},
		{"reset_in_processing", ResetInProcessing()},
		{"expired_certificate", ExpiredCertificate()},
		{"revoked_certificate", RevokedCertificate()},
		{"body_regexp", BodyRegexp()},
		{"proxied", Proxied()},
		{"backends", Backends()},
		{"silent_family", SilentFamily()},
		{"gateway_error", GatewayError()},
		{"dnssec_bogus", DNSSECBogus()},
		{"hostile_server", Hostile()},
	}
}

// Began is when every record's probe began.
func Began() time.Time { return time.Date(2026, 11, 20, 3, 4, 5, 0, time.UTC) }

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

func span(p result.Phase, start, duration float64) result.Span {
	return result.Span{Phase: p, Start: ms(start), Duration: ms(duration)}
}

func failed(p result.Phase, start, duration float64) result.Span {
	return result.Span{Phase: p, Start: ms(start), Duration: ms(duration), Failed: true}
}

// probed is a probe of one attempt.
func probed(target string, elapsed float64, failure *result.Failure, hops ...result.Hop) result.Result {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	attempt := result.Attempt{Start: Began(), Elapsed: ms(elapsed), Hops: hops, Failure: failure}
	return result.Result{
		Target: result.Target{URL: u}, URL: target, Module: "api", Start: Began(), Elapsed: ms(elapsed),
		Timeout:  9500 * time.Millisecond,
		Attempts: []result.Attempt{attempt}, Failure: failure,
	}
}

func addr(s string) netip.Addr         { return netip.MustParseAddr(s) }
func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func get(target, host string) *result.RequestHead {
	return &result.RequestHead{Method: "GET", URL: target, Host: host, Header: http.Header{
		"User-Agent":    {"errno_exporter/0.1.0"},
		"Authorization": {"Bearer hunter2"},
		"X-Tenant":      {"hunter2"},
	}}
}

// answered is a lookup that one server answered.
func answered(host, address string) *result.Lookup {
	return &result.Lookup{Host: host, Exchanges: []result.DNSExchange{
		{Server: "10.0.0.2:53", Network: "udp", Question: host + ". A", Start: ms(0.1), Duration: ms(1.9), RCode: 0,
			Answers: 1},
		{Server: "10.0.0.2:53", Network: "udp", Question: host + ". AAAA", Start: ms(0.1), Duration: ms(1.8), RCode: 0,
			Answers: 0},
	}}
}

func info(state string) *result.TCPInfo {
	return &result.TCPInfo{
		State: state, RTT: ms(10.5), RTTVar: ms(2.25), MinRTT: ms(10), TotalRetrans: 1, BytesAcked: 98,
		BytesReceived: 214,
		BytesSent:     97, SegsOut: 6, SegsIn: 5, OutOfOrder: 2, SndMSS: 1448, PMTU: 1500, SndWnd: 65160,
		BusyTime:     ms(12),
		LastDataRecv: ms(4), LastAckRecv: ms(4),
	}
}

// HTTPSuccess is a healthy server on plain HTTP.
func HTTPSuccess() result.Result {
	const target = "http://api.example.com/health"
	return probed(target, 45, nil, result.Hop{
		URL: target,
		Spans: []result.Span{span(result.Resolve, 0, 2), span(result.Connect, 2, 10.5), span(result.Request, 12.5, 0.5),
			span(result.Processing, 13, 30), span(result.Transfer, 43, 2), span(result.Validate, 45, 0)},
		Lookup:  answered("api.example.com", "192.0.2.7"),
		Answers: []netip.Addr{addr("192.0.2.7"), addr("192.0.2.8")},
		Addr:    addrPort("192.0.2.7:80"),
		Wire: &result.Wire{
			Local: addrPort("10.0.0.7:41000"), Remote: addrPort("192.0.2.7:80"), BytesSent: 97, BytesReceived: 213,
			Events: []result.Event{
				{Op: result.OpWrite, Start: ms(12.6), End: ms(13), Calls: 1, Bytes: 97},
				{Op: result.OpRead, Start: ms(13), End: ms(45), Calls: 2, Bytes: 213},
				{Op: result.OpClose, Start: ms(45), End: ms(45), Calls: 1},
			},
			SYNRetransmits: 1, Info: info("ESTABLISHED"), InfoAt: "close",
		},
		Request: get(target, "api.example.com"),
		Response: &result.Response{
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Status: 200, StatusText: "200 OK", ContentLength: 12,
			BodyBytes: 12, Complete: true,
			Header: http.Header{"Content-Type": {"text/plain"}, "Last-Modified": {"Fri, 20 Nov 2026 00:00:00 GMT"},
				"Set-Cookie": {"id=hunter2"}},
		},
	})
}

// NameDoesNotExist is a name for which the resolver answers NXDOMAIN.
func NameDoesNotExist() result.Result {
	const target = "https://api.exmaple.com/health"
	failure := &result.Failure{Phase: result.Resolve, Reason: result.DNSNameNotResolved, Origin: result.Peer,
		Err: errors.New("lookup api.exmaple.com on 10.0.0.2:53: no such host")}
	exchange := result.DNSExchange{Server: "10.0.0.2:53", Network: "udp", Question: "api.exmaple.com. A",
		Start: ms(0.1), Duration: ms(3), RCode: 3}
	return probed(target, 3.25, failure, result.Hop{
		URL: target, Spans: []result.Span{failed(result.Resolve, 0, 3.25)},
		Lookup: &result.Lookup{Host: "api.exmaple.com", Exchanges: []result.DNSExchange{exchange}},
	})
}

// ConnectRefused is a port on which nothing listens, of an address literal.
func ConnectRefused() result.Result {
	const target = "http://[2001:db8::7]:8080/"
	failure := &result.Failure{Phase: result.Connect, Reason: result.TCPRefused, Errno: syscall.ECONNREFUSED,
		Origin: result.Peer,
		Err:    errors.New("connect: connection refused")}
	return probed(target, 10.75, failure, result.Hop{
		URL: target, Spans: []result.Span{span(result.Resolve, 0, 0), failed(result.Connect, 0.25, 10.5)},
		Answers: []netip.Addr{addr("2001:db8::7")}, Addr: addrPort("[2001:db8::7]:8080"),
		Wire: &result.Wire{
			Remote: addrPort("[2001:db8::7]:8080"),
			Info:   &result.TCPInfo{State: "CLOSE", SegsOut: 1, SegsIn: 1, SndMSS: 536, PMTU: 1500},
			InfoAt: "failure",
		},
	})
}

// AdminProhibited is a router's firewall that answers our SYN with ICMP.
func AdminProhibited() result.Result {
	const target = "http://192.0.2.7/"
	failure := &result.Failure{Phase: result.Connect, Reason: result.TCPAddressUnreachable, Errno: syscall.EHOSTUNREACH,
		Origin: result.Path,
		Err:    errors.New("connect: no route to host")}
	return probed(target, 1.5, failure, result.Hop{
		URL: target, Spans: []result.Span{span(result.Resolve, 0, 0), failed(result.Connect, 0, 1.5)},
		Answers: []netip.Addr{addr("192.0.2.7")}, Addr: addrPort("192.0.2.7:80"),
		Wire: &result.Wire{
			Remote: addrPort("192.0.2.7:80"), Info: &result.TCPInfo{State: "SYN_SENT", SegsOut: 3, TotalRetrans: 2,
				SndMSS: 536, PMTU: 1500}, InfoAt: "failure",
			ICMP: &result.ICMP{Type: 3, Code: 13, From: addr("10.9.1.1"), Errno: syscall.EHOSTUNREACH},
		},
	})
}

// BodyRegexp is a complete response that an expression refuses.
func BodyRegexp() result.Result {
	r := HTTPSuccess()
	failure := &result.Failure{Phase: result.Validate, Reason: result.HTTPContent, Check: result.CheckBody,
		Err: errors.New(`body does not match "status":"up"`)}
	r.Failure, r.Attempts[0].Failure = failure, failure
	r.Attempts[0].Hops[0].Spans[5].Failed = true
	return r
}

// DNSSECBogus is a name whose signatures the resolver refuses, and says so.
func DNSSECBogus() result.Result {
	r := NameDoesNotExist()
	e := &r.Attempts[0].Hops[0].Lookup.Exchanges[0]
	e.RCode, e.Extended = 2, []result.ExtendedError{{Code: 6, Text: "no SEP\x1b matching"}, {Code: 60000}}
	failure := *r.Failure
	failure.Reason, failure.Extended = result.DNSServfail, &e.Extended[0]
	r.Failure, r.Attempts[0].Failure = &failure, &failure
	return r
}

// GatewayError is a gateway's answer that its upstream refuses connections.
func GatewayError() result.Result {
	r := HTTPSuccess()
	failure := &result.Failure{Phase: result.Validate, Reason: result.HTTPError,
		Err: errors.New("status 503 is not valid")}
	r.Failure, r.Attempts[0].Failure = failure, failure
	h := &r.Attempts[0].Hops[0]
	h.Spans[5].Failed = true
	h.Response.Status, h.Response.StatusText = 503, "503 Service Unavailable"
	h.Response.Header = http.Header{"Proxy-Status": {"envoy; error=connection_refused"}}
	h.Upstream = &result.Upstream{Reason: result.ConnectionRefused, By: result.ByEnvoy}
	return r
}

// Proxied is a target whose name is left to the proxy, and a proxy that closes instead of answering CONNECT.
func Proxied() result.Result {
	const target = "https://api.example.com/health"
	failure := &result.Failure{Phase: result.Proxy, Reason: result.TCPClosed, Origin: result.Peer,
		Err: io.ErrUnexpectedEOF}
	end := result.Event{Op: result.OpRead, Start: ms(4), End: ms(9), Calls: 1, EOF: true, Err: io.EOF}
	return probed(target, 9, failure, result.Hop{
		URL: target, Spans: []result.Span{failed(result.Proxy, 0, 9)}, Addr: addrPort("10.0.0.3:3128"),
		Proxy: "http://proxy.example.com:3128",
		Wire: &result.Wire{
			Local: addrPort("10.0.0.7:41000"), Remote: addrPort("10.0.0.3:3128"), BytesSent: 88,
			Events: []result.Event{{Op: result.OpWrite, Start: ms(3), End: ms(4), Calls: 1, Bytes: 88}, end},
			Cause:  &end,
			Info:   info("CLOSE_WAIT"), InfoAt: "failure",
		},
	})
}

// SilentFamily is a healthy server whose name servers drop questions for IPv6 addresses.
func SilentFamily() result.Result {
	r := HTTPSuccess()
	exchanges := r.Attempts[0].Hops[0].Lookup.Exchanges
	exchanges[0].Duration = ms(0.3)
	exchanges[1].Duration, exchanges[1].RCode, exchanges[1].TTL, exchanges[1].GivenUp = ms(50.2), -1, -1, true
	return r
}

// Backends is a name with three addresses, all of which were probed: one resets. The system's resolver gives an address
// that the configured servers do not.
func Backends() result.Result {
	good, bad := HTTPSuccess(), ResetInProcessing()
	r := bad
	lookup := answered("www.example.com", "192.0.2.7")
	lookup.Exchanges[0].TTL, lookup.Exchanges[1].TTL = 30*time.Second, -1
	system := answered("www.example.com", "192.0.2.9")
	system.Exchanges[0].TTL, system.Exchanges[1].TTL = 290*time.Second, -1
	hop := &r.Attempts[0].Hops[0]
	hop.Answers = []netip.Addr{addr("192.0.2.7"), addr("192.0.2.8"), addr("2001:db8::7")}
	hop.Lookup, hop.Compared = lookup, &result.Comparison{Answers: []netip.Addr{addr("192.0.2.7"), addr("192.0.2.9")},
		Lookup: system}
	r.Addresses = []result.AddressProbe{
		{Addr: addr("192.0.2.7"), Attempts: good.Attempts},
		{Addr: addr("192.0.2.8"), Attempts: r.Attempts, Failure: r.Failure},
		{Addr: addr("2001:db8::7"), Attempts: good.Attempts},
	}
	return r
}

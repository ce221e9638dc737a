package cause

import (
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

// TestSpread: a body that comes in bursts is still coming, also when the deadline is in a pause.
func TestSpread(t *testing.T) {
	read := func(start, end time.Duration, calls int) result.Event {
		return result.Event{Op: result.OpRead, Start: start * time.Second, End: end * time.Second, Calls: calls,
			Bytes: 1000}
	}
	for _, row := range []struct {
		name   string
		events []result.Event
		want   bool
	}{
		{"nothing", nil, false},
		{"a burst each two seconds", []result.Event{read(1, 7, 4)}, true},
		{"the head and no more", []result.Event{read(1, 1, 1)}, false},
		{"all at once", []result.Event{read(1, 2, 9)}, false},
		{"two reads far apart", []result.Event{read(1, 7, 2)}, false},
		{"reads that bring nothing", []result.Event{{Op: result.OpRead, Calls: 9}, read(6, 7, 4)}, false},
		{"in the second half", []result.Event{read(4, 7, 4)}, false},
		{"a pause in three bursts", []result.Event{read(1, 2, 2), read(6, 7, 2)}, true},
		{"writes", []result.Event{{Op: result.OpWrite, Start: time.Second, End: 9 * time.Second, Calls: 9, Bytes: 9}},
			false},
	} {
		if got := spread(row.events, 10*time.Second); got != row.want {
			t.Errorf("%s: spread = %t, want %t", row.name, got, row.want)
		}
	}
}

// TestPlain: a request with a header of the module's has something that could be left out.
func TestPlain(t *testing.T) {
	for _, row := range []struct {
		name    string
		request *result.RequestHead
		want    bool
	}{
		{"none was sent", nil, true},
		{"a GET", &result.RequestHead{Method: "GET", Header: head("User-Agent", "x", "Traceparent", "y", "Tracestate", "z",
			"Accept", "a", "Accept-Encoding", "b", "Connection", "close", "Host", "h")}, true},
		{"a header", &result.RequestHead{Method: "GET", Header: head("X-Odd", "1")}, false},
		{"a body", &result.RequestHead{Method: "GET", Body: 1}, false},
		{"a PUT", &result.RequestHead{Method: "PUT"}, false},
	} {
		if got := plain(row.request); got != row.want {
			t.Errorf("%s: plain = %t, want %t", row.name, got, row.want)
		}
	}
}

// TestDigestOf: what is taken from a result, and when.
func TestDigestOf(t *testing.T) {
	first, second := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	failure := &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	answered := &result.Response{Status: 503, Proto: "HTTP/1.1", ContentLength: 500, Header: head("Retry-After", "5")}
	one := func(h result.Hop, f *result.Failure) *result.Result {
		if h.Addr == (netip.AddrPort{}) {
			h.Addr = netip.AddrPortFrom(first, 443)
		}
		return &result.Result{Timeout: 9 * time.Second, Elapsed: 8 * time.Second, Failure: f,
			Attempts: []result.Attempt{{Failure: f, Hops: []result.Hop{h}}}}
	}
	hops := func(urls ...string) *result.Result {
		r := one(result.Hop{}, nil)
		r.Attempts[0].Hops = nil
		for _, u := range urls {
			r.Attempts[0].Hops = append(r.Attempts[0].Hops, result.Hop{URL: u, Addr: netip.AddrPortFrom(first, 443)})
		}
		return r
	}
	retried := one(result.Hop{}, nil)
	retried.Attempts = append([]result.Attempt{{Failure: failure, Hops: []result.Hop{{}}}}, retried.Attempts...)
	failedTwice := one(result.Hop{}, failure)
	failedTwice.Attempts = append([]result.Attempt{{Failure: failure, Hops: []result.Hop{{}}}}, failedTwice.Attempts...)
	everyAddress := one(result.Hop{}, nil)
	everyAddress.Addresses = []result.AddressProbe{{Addr: first}, {Addr: second, Failure: failure}}
	lookup := func(codes ...int) *result.Lookup {
		l := &result.Lookup{Host: "api.test"}
		for _, c := range codes {
			l.Exchanges = append(l.Exchanges, result.DNSExchange{RCode: c})
		}
		return l
	}
	wire := &result.Wire{BytesSent: 7, BytesReceived: 9, SYNRetransmits: 2, Reset: &result.Reset{TTL: 60},
		ICMP: &result.ICMP{Type: 3}, Info: &result.TCPInfo{BytesAcked: 8, SegsIn: 4, OutOfOrderQueued: true,
			LastDataRecv: 7 * time.Second}}
	recent, unread := *wire, *wire
	recent.Info = &result.TCPInfo{LastDataRecv: time.Second, BytesAcked: 7}
	unread.BytesReceived, unread.Info = 0, &result.TCPInfo{LastDataRecv: time.Second}
	bursts := *wire
	bursts.Events = []result.Event{{Op: result.OpRead, Start: 0, End: 6 * time.Second, Calls: 9, Bytes: 9}}
	blind := *wire
	blind.Info = nil
	at := time.Unix(1_800_000_000, 0)
	for _, row := range []struct {
		name string
		r    *result.Result
		want func(*Digest) // of a success over one address
	}{
		{"a success", one(result.Hop{}, nil), func(*Digest) {}},
		{"a failure", one(result.Hop{}, failure), func(o *Digest) { o.Failure = failure }},
		{"a success after a failure", retried, func(o *Digest) { o.Failed = failure }},
		{"two failures", failedTwice, func(o *Digest) { o.Failure = failure }},
		{"processing", one(result.Hop{Spans: []result.Span{{Phase: result.Processing, Duration: 5}}}, nil),
			func(o *Digest) { o.Processing = 5 }},
		{"connecting", one(result.Hop{Spans: []result.Span{{Phase: result.Connect, Duration: 5}}}, nil),
			func(o *Digest) { o.Connecting = 5 }},
		{"an answer", one(result.Hop{Response: answered}, nil),
			func(o *Digest) { o.Status, o.Protocol = 503, "HTTP/1.1" }},
		{"an answer that is a failure", one(result.Hop{Response: answered}, failure), func(o *Digest) {
			o.Status, o.Protocol, o.Failure, o.Announced = 503, "HTTP/1.1", failure, 500
			o.Said.RetryAfter = 5 * time.Second
		}},
		{"a complete answer", one(result.Hop{Response: &result.Response{Status: 500, ContentLength: 500, Complete: true}},
			failure), func(o *Digest) { o.Status, o.Failure = 500, failure }},
		{"no answer over HTTP/2", one(result.Hop{TLS: &result.TLSState{ALPN: "h2"}}, nil),
			func(o *Digest) { o.Protocol = "HTTP/2.0" }},
		{"no answer over TLS", one(result.Hop{TLS: &result.TLSState{}}, nil), func(*Digest) {}},
		{"an alert", one(result.Hop{TLS: &result.TLSState{Alert: 80, Chain: []*x509.Certificate{nil}}}, nil),
			func(o *Digest) { o.Alert, o.CertShown = 80, true }},
		{"a proxy", one(result.Hop{Proxy: "http://proxy.test", URL: "https://api.test"}, nil), tunnelled},
		{"the wire", one(result.Hop{Wire: wire}, nil), func(o *Digest) {
			o.Sent, o.Received, o.SYNRepeats, o.Reset, o.ICMP = 7, 9, 2, wire.Reset, wire.ICMP
			o.Hole, o.Delivered, o.Arrived, o.Segments = true, true, true, 4
		}},
		{"bytes came to the end", one(result.Hop{Wire: &recent}, nil), func(o *Digest) {
			o.Sent, o.Received, o.SYNRepeats, o.Reset, o.ICMP, o.Progress = 7, 9, 2, wire.Reset, wire.ICMP, true
			o.Arrived = true
		}},
		{"no bytes came", one(result.Hop{Wire: &unread}, nil), func(o *Digest) {
			o.Sent, o.SYNRepeats, o.Reset, o.ICMP = 7, 2, wire.Reset, wire.ICMP
		}},
		{"bytes came in bursts", one(result.Hop{Wire: &bursts}, nil), func(o *Digest) {
			o.Sent, o.Received, o.SYNRepeats, o.Reset, o.ICMP = 7, 9, 2, wire.Reset, wire.ICMP
			o.Hole, o.Delivered, o.Arrived, o.Segments, o.Progress = true, true, true, 4, true
		}},
		{"the end of the request arrived, and its beginning did not", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 1, Sacked: 1, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Arrived, o.Segments = 4000, true, 3
		}},
		{"nothing but the SYN arrived", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 1, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Segments = 4000, 3
		}},
		{"a part of the request arrived, the rest was sent again twice", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 101, Backoff: 2, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Arrived, o.Stuck, o.Segments = 4000, true, true, 3
		}},
		{"the same, on a connection that a RST has ended", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 101, TotalRTO: 300, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Arrived, o.Stuck, o.Segments = 4000, true, true, 3
		}},
		{"the rest was sent again once", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 101, Backoff: 1, TotalRTO: 1, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Arrived, o.Segments = 4000, true, 3
		}},
		{"all of it arrived, after it was sent again twice", one(result.Hop{Wire: &result.Wire{BytesSent: 4000,
			Info: &result.TCPInfo{BytesAcked: 4001, TotalRTO: 2, SegsIn: 3}}}, nil), func(o *Digest) {
			o.Sent, o.Arrived, o.Delivered, o.Segments = 4000, true, true, 3
		}},
		{"a client certificate is asked for", one(result.Hop{TLS: &result.TLSState{ClientCertAsked: true}}, nil),
			func(o *Digest) { o.CertAsked = true }},
		{"no TCP_INFO", one(result.Hop{Wire: &blind}, nil), func(o *Digest) {
			o.Sent, o.Received, o.SYNRepeats, o.Reset, o.ICMP = 7, 9, 2, wire.Reset, wire.ICMP
		}},
		{"the resolver answered once", one(result.Hop{Lookup: lookup(3, result.NoRCode)}, nil),
			func(o *Digest) { o.Host, o.Answered = "api.test", true }},
		{"the resolver was silent", one(result.Hop{Lookup: lookup(result.NoRCode)}, nil),
			func(o *Digest) { o.Host = "api.test" }},
		{"the other resolver answered", one(result.Hop{Compared: &result.Comparison{Answers: []netip.Addr{second}}}, nil),
			func(o *Digest) { o.Fresh, o.OtherDNS = []netip.Addr{second}, true }},
		{"the other resolver failed", one(result.Hop{Compared: &result.Comparison{Failure: failure}}, nil),
			func(*Digest) {}},
		{"redirects within the host", hops("http://api.test/", "http://api.test/v1?a=b"), func(*Digest) {}},
		{"redirects to other hosts", hops("http://u:p@api.test", "https://api.test:8443#a", "https://login.test/in?x=@y"),
			func(o *Digest) { o.Places = "http://api.test https://api.test:8443 https://login.test" }},
		{"all addresses", everyAddress,
			func(o *Digest) { o.Addresses = []AddressSeen{{first, true}, {second, false}} }},
	} {
		want := Digest{At: at, Took: 8 * time.Second, Timeout: 9 * time.Second, Late: 3, Addr: first, Plain: true}
		row.want(&want)
		got := DigestOf(row.r, 3, at)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestIdleConnOf: what is taken from the fate of an idle connection.
func TestIdleConnOf(t *testing.T) {
	at, failure := time.Unix(1_800_000_000, 0), &result.Failure{Reason: result.TCPReset}
	r := result.IdleResult{Idle: 5, Used: true, Failure: failure, Ended: at,
		Attempt: result.Attempt{Hops: []result.Hop{{}}}}
	want := IdleConn{Age: 4, Idle: 5, Used: true, Failure: failure, At: at, Announced: 6}
	if diff := cmp.Diff(want, IdleConnOf(4, &r, 6)); diff != "" {
		t.Errorf("without a wire (-want +got):\n%s", diff)
	}
	r.Attempt.Hops[0].Wire = &result.Wire{BytesReceived: 7, Reset: &result.Reset{TTL: 60}}
	want.Received, want.Reset = 7, &result.Reset{TTL: 60}
	if diff := cmp.Diff(want, IdleConnOf(4, &r, 6)); diff != "" {
		t.Errorf("with a wire (-want +got):\n%s", diff)
	}
}

// TestExperimentText: an experiment in a line.
func TestExperimentText(t *testing.T) {
	reset := &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	for _, row := range []struct {
		control result.Experiment
		want    string
	}{
		{result.Experiment{Kind: result.Again}, "again: works"},
		{result.Experiment{Kind: result.Again, Failure: reset},
			"again: FAILED: connection reset by the peer while waiting for the response"},
		{result.Experiment{Kind: result.PathTrace, Hops: []result.PathHop{{From: router}, {}, {}}},
			"trace: the last router that answers is 198.51.100.1, 1 hop away"},
		{result.Experiment{Kind: result.PathTrace, Hops: []result.PathHop{{From: router}, {Reached: true}}},
			"trace: a SYN reaches the target after 2 hops"},
		{result.Experiment{Kind: result.PathTrace, Hops: []result.PathHop{{}}}, "trace: no router answers"},
	} {
		if got := ExperimentText(&row.control); got != row.want {
			t.Errorf("ExperimentText = %q, want %q", got, row.want)
		}
	}
}

package cause

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/result"
)

func head(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// TestSaid: what an answer says counts for what it says.
func TestSaid(t *testing.T) {
	for _, row := range []struct {
		name    string
		proxied bool
		answer  result.Response
		want    Said
	}{
		{"200", false, result.Response{Status: 200, Header: head("Server", "nginx")}, Said{}},
		{"429", false, result.Response{Status: 429, Header: head("Retry-After", "30")},
			Said{Limit: "the answer is 429 (Too Many Requests)", RetryAfter: 30 * time.Second}},
		{"GitHub's 403", false, result.Response{Status: 403, Header: head("X-RateLimit-Remaining", "0")},
			Said{Limit: "the answer has X-Ratelimit-Remaining: 0"}},
		{"something remains", false, result.Response{Status: 403, Header: head("X-RateLimit-Remaining", "10")}, Said{}},
		{"the draft's field", false, result.Response{Status: 503, Header: head("RateLimit", `"default";r=0;t=30`)},
			Said{Limit: "the answer has RateLimit with nothing remaining"}},
		{"the draft's field, and something remains", false,
			result.Response{Status: 503, Header: head("RateLimit", `"default";r=05;t=0`)}, Said{}},
		{"a date to come back", false, result.Response{Status: 503,
			Header: head("Date", "Sun, 01 Mar 2026 03:00:00 GMT", "Retry-After", "Sun, 01 Mar 2026 04:00:00 GMT")},
			Said{RetryAfter: time.Hour}},
		{"502", false, result.Response{Status: 502},
			Said{Gateway: "the status 502 is a gateway's: its upstream gave no valid answer in time (RFC 9110 " +
				"section 15.6)"}},
		{"Varnish's backend is dead", false, result.Response{Status: 503,
			Header: head("Server", "Varnish", "Retry-After", "5")},
			Said{RetryAfter: 5 * time.Second, Gateway: "the answer is Varnish's own: its backend failed"}},
		{"Envoy's upstream is dead", false, result.Response{Status: 503, Header: head("Server", "envoy")},
			Said{Gateway: "the answer is Envoy's own, no upstream answered: it has no X-Envoy-Upstream-Service-Time"}},
		{"Envoy's upstream answers 503", false, result.Response{Status: 503,
			Header: head("Server", "envoy", "X-Envoy-Upstream-Service-Time", "3")}, Said{}},
		{"HAProxy has no server", false, result.Response{Status: 503, ContentLength: 107,
			Header: head("Cache-Control", "no-cache")},
			Said{Gateway: "the answer is HAProxy's default page for 503: no server is available"}},
		{"a 503 of 107 bytes with a Date", false, result.Response{Status: 503, ContentLength: 107,
			Header: head("Cache-Control", "no-cache", "Date", "x")}, Said{}},
		{"RFC 9209", false, result.Response{Status: 500, Header: head("Proxy-Status", "cdn; error=connection_refused")},
			Said{Gateway: "Proxy-Status names an error of the gateway (RFC 9209)"}},
		{"a kept body", false, result.Response{Status: 503, Marks: result.EnvoyNoHealthy},
			Said{Gateway: "the answer is Envoy's own: no healthy upstream"}},
		{"maintenance", false, result.Response{Status: 503, Marks: result.MaintenanceWords},
			Said{Maintenance: `the answer says "maintenance"`}},
		{"an article on maintenance", false, result.Response{Status: 404, Marks: result.MaintenanceWords}, Said{}},
		{"squid denies", true, result.Response{Status: 403,
			Header: head("Server", "squid/6.6", "X-Squid-Error", "ERR_ACCESS_DENIED 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_ACCESS_DENIED 0", Denied: true}},
		{"squid does not resolve", true, result.Response{Status: 503,
			Header: head("Server", "squid/6.6", "X-Squid-Error", "ERR_DNS_FAIL 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_DNS_FAIL 0", NoName: true,
				Gateway: "the proxy answers 503 itself: it does not get an answer from the target"}},
		{"tinyproxy does not connect", true, result.Response{Status: 500, Header: head("Server", "tinyproxy/1.11")},
			Said{Proxy: "the answer is the proxy's own, Server: tinyproxy/1.11",
				Gateway: "the proxy answers 500 itself: it does not get an answer from the target"}},
		{"a server behind squid", true, result.Response{Status: 500,
			Header: head("Server", "nginx", "Via", "1.1 squid")}, Said{Origin: true}},
		{"a server that is squid, without a proxy", false,
			result.Response{Status: 500, Header: head("Server", "squid")}, Said{}},
	} {
		hop := &result.Hop{Response: &row.answer, URL: "http://api.test/"}
		if row.proxied {
			hop.Proxy = "http://proxy.test"
		}
		if diff := cmp.Diff(row.want, said(hop)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestRelayed: only plain HTTP through an HTTP proxy is read by it.
func TestRelayed(t *testing.T) {
	for _, row := range []struct {
		url, proxy string
		want       bool
	}{
		{"http://api.test/", "", false},
		{"http://api.test/", "http://proxy.test", true},
		{"http://api.test/", "https://proxy.test", true},
		{"https://api.test/", "http://proxy.test", false},
		{"http://api.test/", "socks5://proxy.test", false},
	} {
		if got := relayed(&result.Hop{URL: row.url, Proxy: row.proxy}); got != row.want {
			t.Errorf("%s through %q: relayed = %t, want %t", row.url, row.proxy, got, row.want)
		}
	}
}

// TestSaidByErrors: what a proxy that gives no tunnel says, and a reset stream's code.
func TestSaidByErrors(t *testing.T) {
	const no = "the proxy gave no tunnel: "
	for _, row := range []struct {
		reason result.Reason
		text   string
		want   Said
	}{
		{result.ProxyFailed, `the proxy answered CONNECT with "500 Oops"`,
			Said{Proxy: no + `the proxy answered CONNECT with "500 Oops"`}},
		{result.ProxyFailed, "the proxy replied: connection refused (5)",
			Said{Proxy: no + "the proxy replied: connection refused (5)",
				Gateway: "the proxy says that it does not reach the target: the proxy replied: connection refused " +
					"(5)"}},
		{result.ProxyFailed, "the proxy replied: general failure (1)",
			Said{Proxy: no + "the proxy replied: general failure (1)"}},
		{result.ProxyFailed, `dns_error`, Said{Proxy: no + "dns_error", NoName: true,
			Gateway: "the proxy says that it does not reach the target: dns_error"}},
		{result.H2StreamReset, "stream error: stream ID 1; INTERNAL_ERROR; received from peer", Said{Internal: true}},
		{result.H2StreamReset, "stream error: stream ID 1; CANCEL; received from peer", Said{}},
	} {
		f := &result.Failure{Reason: row.reason, Err: errors.New(row.text)}
		if diff := cmp.Diff(row.want, Said{}.withError(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.text, diff)
		}
	}
}

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
		{"a GET", &result.RequestHead{Method: "GET", Header: head("User-Agent", "x", "Traceparent", "y")}, true},
		{"a header", &result.RequestHead{Method: "GET", Header: head("X-Odd", "1")}, false},
		{"a body", &result.RequestHead{Method: "GET", Body: 1}, false},
		{"a PUT", &result.RequestHead{Method: "PUT"}, false},
	} {
		if got := plain(row.request); got != row.want {
			t.Errorf("%s: plain = %t, want %t", row.name, got, row.want)
		}
	}
}

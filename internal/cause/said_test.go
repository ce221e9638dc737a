package cause

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/upstream"
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
			Said{Limit: "429 is Too Many Requests, a rate limit (RFC 6585 section 4)", RetryAfter: 30 * time.Second}},
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
		{"Varnish's backend is dead", false, result.Response{Status: 503, StatusText: "503 Backend fetch failed",
			Header: head("Server", "Varnish", "Retry-After", "5")},
			Said{RetryAfter: 5 * time.Second, Gateway: "the answer is Varnish's own: destination_unavailable"}},
		{"Envoy's upstream is dead", false, result.Response{Status: 503, Header: head("Server", "envoy")},
			Said{Gateway: "the answer is Envoy's own: its upstream failed"}},
		{"Envoy's upstream answers 503", false, result.Response{Status: 503,
			Header: head("Server", "envoy", "X-Envoy-Upstream-Service-Time", "3")}, Said{}},
		{"HAProxy has no server", false, result.Response{Status: 503,
			Header: head("Content-Length", "107", "Cache-Control", "no-cache")},
			Said{Gateway: "the answer is HAProxy's own: destination_unavailable"}},
		{"a 503 of 107 bytes with a Date", false, result.Response{Status: 503,
			Header: head("Content-Length", "107", "Cache-Control", "no-cache", "Date", "x")}, Said{}},
		{"RFC 9209", false, result.Response{Status: 500, Header: head("Proxy-Status", "cdn; error=connection_refused")},
			Said{Gateway: "the answer is a gateway's own: connection_refused"}},
		{"a kept body", false, result.Response{Status: 503, Body: []byte("no healthy upstream")},
			Said{Gateway: "the answer is Envoy's own: destination_unavailable"}},
		{"maintenance", false, result.Response{Status: 503, Marks: result.MaintenanceWords},
			Said{Maintenance: `the answer says "maintenance"`}},
		{"an article on maintenance", false, result.Response{Status: 404, Marks: result.MaintenanceWords}, Said{}},
		{"squid denies", true, result.Response{Status: 403,
			Header: head("Server", "squid/6.6", "X-Squid-Error", "ERR_ACCESS_DENIED 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_ACCESS_DENIED 0", Denied: true,
				Refused: "the answer is Squid's own: http_request_denied"}},
		{"squid does not resolve", true, result.Response{Status: 503,
			Header: head("Server", "squid/6.6", "X-Squid-Error", "ERR_DNS_FAIL 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_DNS_FAIL 0", NoName: true,
				Gateway: "the answer is Squid's own: dns_error"}},
		{"tinyproxy does not connect", true, result.Response{Status: 500, Header: head("Server", "tinyproxy/1.11")},
			Said{Proxy: "the answer is the proxy's own, Server: tinyproxy/1.11",
				Gateway: "the proxy answers 500 itself: it does not get an answer from the target"}},
		{"a server behind squid", true, result.Response{Status: 500,
			Header: head("Server", "nginx", "Via", "1.1 squid")}, Said{Origin: true}},
		{"nothing remains, with hyphens", false, result.Response{Status: 403, Header: head("X-Rate-Limit-Remaining", "0")},
			Said{Limit: "the answer has X-Rate-Limit-Remaining: 0"}},
		{"nothing remains, without X", false, result.Response{Status: 403, Header: head("RateLimit-Remaining", "0")},
			Said{Limit: "the answer has Ratelimit-Remaining: 0"}},
		{"an earlier draft's field", false, result.Response{Status: 403,
			Header: head("RateLimit", "limit=100, remaining=0, reset=5")},
			Said{Limit: "the answer has RateLimit with nothing remaining"}},
		{"an earlier draft's field, without blanks", false, result.Response{Status: 403,
			Header: head("RateLimit", "limit=100,remaining=0")},
			Said{Limit: "the answer has RateLimit with nothing remaining"}},
		{"a date to come back, without now", false, result.Response{Status: 503,
			Header: head("Retry-After", "Sun, 01 Mar 2026 04:00:00 GMT")}, Said{}},
		{"a time that is none", false, result.Response{Status: 503, Header: head("Retry-After", "later")}, Said{}},
		{"504", false, result.Response{Status: 504},
			Said{Gateway: "the status 504 is a gateway's: its upstream gave no valid answer in time (RFC 9110 " +
				"section 15.6)"}},
		{"501", false, result.Response{Status: 501}, Said{}},
		{"Envoy's 500", false, result.Response{Status: 500, Header: head("Server", "envoy")}, Said{}},
		{"Envoy cannot connect", false, result.Response{Status: 502,
			Body: []byte("upstream connect error or disconnect/reset before headers")},
			Said{Gateway: "the answer is Envoy's own: destination_unavailable"}},
		{"Varnish's page", false, result.Response{Status: 503,
			Body: []byte("Error 503 Backend fetch failed")},
			Said{Gateway: "the answer is Varnish's own: destination_unavailable"}},
		{"HAProxy's page", false, result.Response{Status: 503,
			Body: []byte("No server is available to handle this request.")},
			Said{Gateway: "the answer is HAProxy's own: destination_unavailable"}},
		{"an article on Envoy", false, result.Response{Status: 499,
			Body: []byte("no healthy upstream")}, Said{}},
		{"a 500 of 107 bytes", false, result.Response{Status: 500,
			Header: head("Content-Length", "107", "Cache-Control", "no-cache")}, Said{}},
		{"a 503 of 106 bytes", false, result.Response{Status: 503,
			Header: head("Content-Length", "106", "Cache-Control", "no-cache")}, Said{}},
		{"a 503 of 107 bytes that may be cached", false, result.Response{Status: 503,
			Header: head("Content-Length", "107")}, Said{}},
		{"a 503 of 107 bytes with a Server", false, result.Response{Status: 503,
			Header: head("Content-Length", "107", "Cache-Control", "no-cache", "Server", "x")}, Said{}},
		{"a header of maintenance", false, result.Response{Status: 503, Header: head("X-Maintenance-Mode", "1")},
			Said{Maintenance: "the answer has the header X-Maintenance-Mode"}},
		{"an empty header of maintenance", false, result.Response{Status: 503,
			Header: http.Header{"X-Maintenance-Mode": nil}}, Said{}},
		{"a status text of maintenance", false, result.Response{Status: 503, StatusText: "503 In Maintenance"},
			Said{Maintenance: `the answer says "maintenance"`}},
		{"squid denies by its cache's rules", true, result.Response{Status: 403,
			Header: head("X-Squid-Error", "ERR_CACHE_ACCESS_DENIED 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_CACHE_ACCESS_DENIED 0", Denied: true,
				Refused: "the answer is Squid's own: http_request_denied"}},
		{"squid denies with 503", true, result.Response{Status: 503, Header: head("X-Squid-Error", "ERR_ACCESS_DENIED 0")},
			Said{Proxy: "the answer is the proxy's own, X-Squid-Error: ERR_ACCESS_DENIED 0", Denied: true,
				Refused: "the answer is Squid's own: http_request_denied"}},
		{"Privoxy does not resolve the name", true, result.Response{Status: 404, StatusText: "404 No such domain",
			Header: head()}, Said{Proxy: "the answer is the proxy's own, Privoxy's: dns_error", NoName: true}},
		{"Privoxy blocks", true, result.Response{Status: 403, StatusText: "403 Request blocked by Privoxy", Header: head()},
			Said{Proxy: "the answer is the proxy's own, Privoxy's: http_request_denied", Denied: true,
				Refused: "the answer is Privoxy's own: http_request_denied"}},
		{"Tinyproxy does not reach the target", true, result.Response{Status: 500, StatusText: "500 Unable to connect",
			Header: head("Server", "tinyproxy/1.11.1")}, Said{Proxy: "the answer is the proxy's own, Tinyproxy's: unknown",
			Gateway: "the answer is Tinyproxy's own: its upstream failed"}},
		{"squid by name", true, result.Response{Status: 403, Header: head("Server", "squid/6.6")},
			Said{Proxy: "the answer is the proxy's own, Server: squid/6.6"}},
		{"privoxy", true, result.Response{Status: 403, Header: head("Server", "Privoxy")},
			Said{Proxy: "the answer is the proxy's own, Server: Privoxy"}},
		{"Zscaler", true, result.Response{Status: 403, Header: head("Server", "Zscaler/6.2")},
			Said{Proxy: "the answer is the proxy's own, Server: Zscaler/6.2"}},
		{"Blue Coat", true, result.Response{Status: 403, Header: head("Server", "BlueCoat-Security")},
			Said{Proxy: "the answer is the proxy's own, Server: BlueCoat-Security"}},
		{"a gateway in maintenance", false, result.Response{Status: 503, Marks: result.MaintenanceWords,
			Header: head("Proxy-Status", "cdn; error=destination_unavailable")},
			Said{Gateway: "the answer is a gateway's own: destination_unavailable",
				Maintenance: `the answer says "maintenance"`}},
		{"a gateway's page says maintenance, and its Proxy-Status what failed", false, result.Response{Status: 503,
			Marks: result.MaintenanceWords, Header: head("Proxy-Status", "cdn; error=connection_refused")},
			Said{Gateway: "the answer is a gateway's own: connection_refused"}},
		{"a gateway's own failure", false, result.Response{Status: 500,
			Header: head("Proxy-Status", "cdn; error=proxy_internal_error")},
			Said{Itself: "the answer is a gateway's own: proxy_internal_error"}},
		{"a gateway's rule", false, result.Response{Status: 403,
			Header: head("Proxy-Status", "cloudflare; error=http_request_denied")},
			Said{Refused: "the answer is Cloudflare's own: http_request_denied"}},
		{"a gateway that refuses the request with 500", false, result.Response{Status: 500,
			Header: head("Proxy-Status", "cdn; error=http_request_error")},
			Said{Refused: "the answer is a gateway's own: http_request_error"}},
		{"a gateway's 404 that names its upstream", false, result.Response{Status: 404,
			Header: head("Proxy-Status", "cdn; error=connection_refused")}, Said{}},
		{"McAfee", true, result.Response{Status: 403, Header: head("Server", "McAfee Web Gateway 7")},
			Said{Proxy: "the answer is the proxy's own, Server: McAfee Web Gateway 7"}},
		{"a proxied answer that names nobody", true, result.Response{Status: 500, Header: head()}, Said{}},
		{"a server that is squid, without a proxy", false,
			result.Response{Status: 500, Header: head("Server", "squid")}, Said{}},
	} {
		hop := &result.Hop{Response: &row.answer, URL: "http://api.test/", Upstream: upstream.Of(upstream.Answer{
			Status: row.answer.Status, StatusText: row.answer.StatusText, Header: row.answer.Header, Body: row.answer.Body})}
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

// TestSaidByFailures: what a proxy that gives no tunnel states, and a reset stream's code.
func TestSaidByFailures(t *testing.T) {
	const no, own = "the proxy gave no tunnel: ", "the answer to CONNECT is "
	for _, row := range []struct {
		reason   result.Reason
		text     string
		upstream *result.Upstream
		want     Said
	}{
		{result.ProxyFailed, `"500 Oops"`, nil, Said{Proxy: no + `"500 Oops"`}},
		{result.ProxyFailed, "refused", &result.Upstream{Reason: result.ConnectionRefused, By: result.ByProxy},
			Said{Proxy: no + "refused", Gateway: own + "the proxy's own: connection_refused"}},
		{result.ProxyFailed, "dns", &result.Upstream{Reason: result.DNSErrorUpstream, By: result.BySquid},
			Said{Proxy: no + "dns", NoName: true, Gateway: own + "Squid's own: dns_error"}},
		{result.ProxyFailed, "502", &result.Upstream{Reason: result.UpstreamUnknown, By: result.ByProxy},
			Said{Proxy: no + "502", Gateway: own + "the proxy's own: its upstream failed"}},
		{result.ProxyFailed, "ends", &result.Upstream{Reason: result.ProxyInternalError, By: result.BySquid},
			Said{Proxy: no + "ends", Itself: own + "Squid's own: proxy_internal_error"}},
		{result.ProxyFailed, "denies", &result.Upstream{Reason: result.DestinationIPProhibited, By: result.ByEnvoy},
			Said{Proxy: no + "denies", Refused: own + "Envoy's own: destination_ip_prohibited"}},
		{result.ProxyFailed, strings.Repeat("x", 59) + "éy", nil,
			Said{Proxy: no + strings.Repeat("x", 59) + "…"}},
		{result.ProxyFailed, strings.Repeat("x", 60), nil, Said{Proxy: no + strings.Repeat("x", 60)}},
		{result.QUICStreamReset, "stream 1 canceled by remote with error code H3_INTERNAL_ERROR", nil,
			Said{Internal: true}},
		{result.H2StreamReset, "stream error: stream ID 1; INTERNAL_ERROR; received from peer", nil,
			Said{Internal: true}},
		{result.H2StreamReset, "stream error: stream ID 1; CANCEL; received from peer", nil, Said{}},
		{result.H2StreamReset, "stream error: stream ID 1; HTTP_1_1_REQUIRED; received from peer", nil,
			Said{WantsHTTP1: true}},
		{result.H2Throttled, "stream error: stream ID 1; ENHANCE_YOUR_CALM; received from peer", nil,
			Said{StreamOnly: true}},
		{result.H2Throttled, "http2: server sent GOAWAY and closed the connection; ErrCode=ENHANCE_YOUR_CALM", nil, Said{}},
		{result.HTTPResponseInvalid, "unexpected EOF", nil, Said{Short: true}},
		{result.HTTPResponseInvalid, "gzip: invalid header", nil, Said{}},
		{result.TLSProtocolError, "local error: tls: no renegotiation", nil, Said{Renegotiate: true}},
		{result.HTTPProtocolError, classify.ErrNotEncrypted.Error(), nil, Said{WantsTLS: true}},
	} {
		f := &result.Failure{Reason: row.reason, Err: errors.New(row.text)}
		if diff := cmp.Diff(row.want, Said{}.withFailure(f, row.upstream)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.text, diff)
		}
	}
}

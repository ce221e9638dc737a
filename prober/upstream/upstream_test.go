package upstream

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"errno_exporter/internal/claims"
	"errno_exporter/prober/result"
)

func put(u *result.Upstream) string {
	if u == nil {
		return ""
	}
	return fmt.Sprintf("%s %s", u.By, u.Reason)
}

// The answers of real gateways, made by testdata/make.
func TestSamples(t *testing.T) {
	want := map[string]string{
		"apache_500":            "apache dns_error",
		"apache_502":            "apache unknown", // the upstream closed; one that is silent gives the same page
		"apache_503":            "",               // Apache's page for each 503, also of its own
		"haproxy_403":           "haproxy http_request_denied",
		"haproxy_502":           "haproxy http_protocol_error",
		"haproxy_503":           "haproxy destination_unavailable",
		"haproxy_504":           "haproxy http_response_timeout",
		"nginx_502":             "nginx unknown",
		"nginx_504":             "nginx http_response_timeout",
		"privoxy_blocked":       "privoxy http_request_denied",
		"privoxy_name":          "privoxy dns_error",
		"privoxy_refused":       "privoxy destination_unavailable",
		"squid_denied":          "squid http_request_denied",
		"squid_empty":           "squid http_response_incomplete",
		"squid_refused":         "squid connection_refused",
		"squid_silent":          "squid http_response_timeout",
		"tinyproxy_refused":     "tinyproxy unknown",       // or its name is not resolved
		"trafficserver_name":    "trafficserver dns_error", // with status 500
		"trafficserver_refused": "trafficserver destination_unavailable",
		"trafficserver_silent":  "trafficserver http_response_timeout",
		"varnish_503":           "varnish destination_unavailable",
		"varnish_failed":        "varnish proxy_internal_error",    // VCL itself
		"varnish_own":           "varnish destination_unavailable", // a page of the site's own
		"varnish_synth":         "",                                // a rule
	}
	files, err := filepath.Glob("testdata/*_*")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d samples, %v; want %d", len(files), err, len(want))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer text.Close()
			r, err := http.ReadResponse(bufio.NewReader(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body) // of some samples the body is left out
			a := Answer{Status: r.StatusCode, StatusText: r.Status, Header: r.Header, Body: body}
			if got := put(Of(a)); got != want[filepath.Base(file)] {
				t.Errorf("Of(%s) = %q, want %q", file, got, want[filepath.Base(file)])
			}
		})
	}
}

// What gateways send that cannot be run here; the comments in upstream.go and fields.go name the documents.
func TestFacts(t *testing.T) {
	const envoy = "upstream connect error or disconnect/reset before headers. "
	for _, row := range []struct {
		status int
		head   string // "Name: value|Name: value"
		body   string
		want   string
	}{
		{200, "", "no healthy upstream", ""},
		{200, "Server: cloudflare|CF-Ray: 1", "error code: 1016", ""},
		{404, "", "not found", ""},
		{500, "", "oops", ""},
		{502, "", "oops", "unknown unknown"},
		{503, "", "oops", ""},
		{504, "", "oops", "unknown http_response_timeout"},

		{503, "", envoy + "reset reason: overflow", "envoy connection_limit_reached"},
		{503, "", envoy + "reset reason: connection timeout", "envoy connection_timeout"},
		{503, "", envoy + "reset reason: connection termination", "envoy connection_terminated"},
		{503, "", envoy + "reset reason: remote reset", "envoy connection_terminated"},
		{502, "", envoy + "reset reason: protocol error", "envoy http_protocol_error"},
		{503, "", envoy + "reset reason: remote connection failure, transport failure reason: delayed connect " +
			"error: 111", "envoy connection_refused"},
		{503, "", envoy + "reset reason: remote connection failure, transport failure reason: delayed connect " +
			"error: Connection refused", "envoy connection_refused"},
		{503, "", envoy + "reset reason: remote connection failure, transport failure reason: delayed connect " +
			"error: 113", "envoy destination_ip_unroutable"},
		{503, "", envoy + "reset reason: connection failure, transport failure reason: TLS error: 268435581:SSL " +
			"routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", "envoy tls_certificate_error"},
		{503, "", envoy + "reset reason: connection failure, transport failure reason: TLS_error:|268435703:SSL " +
			"routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end", "envoy tls_protocol_error"},
		{503, "", envoy + "reset reason: connection failure", "envoy destination_unavailable"},
		{503, "", "no healthy upstream", "envoy destination_unavailable"},
		{504, "", "upstream request timeout", "envoy http_response_timeout"},
		{403, "Server: envoy", "RBAC: access denied", "envoy http_request_denied"},
		{503, "Server: envoy", "", "envoy unknown"},
		{503, "Server: istio-envoy", "", "envoy unknown"},
		{503, "Server: envoy|X-Envoy-Upstream-Service-Time: 3", "", ""},
		{500, "Server: envoy", "", ""},
		{503, "X-Envoy-Response-Flags: UH", "", "envoy destination_unavailable"},
		{503, "X-Envoy-Response-Flags: URX,UF", "", "envoy destination_unavailable"},
		{503, "X-Envoy-Response-Flags: -", "", ""},

		{503, "", "<h1>Error 503 first byte timeout</h1><h3>Guru Mediation:</h3>", "fastly http_response_timeout"},
		{503, "", "<h1>Error 503 hello</h1><p>Guru Mediation:</p>", "fastly unknown"},
		{503, "Server: Varnish", "", ""},
		{500, "Server: Varnish", "", ""},
		{503, "Content-Length: 107|Cache-Control: no-cache", "", "haproxy destination_unavailable"},

		{520, "Server: cloudflare", "", "cloudflare unknown"},
		{521, "CF-Ray: 1-FRA", "", "cloudflare connection_refused"},
		{522, "CF-Ray: 1-FRA", "", "cloudflare connection_timeout"},
		{523, "CF-Ray: 1-FRA", "", "cloudflare destination_ip_unroutable"},
		{524, "CF-Ray: 1-FRA", "", "cloudflare http_response_timeout"},
		{525, "CF-Ray: 1-FRA", "", "cloudflare tls_protocol_error"},
		{526, "CF-Ray: 1-FRA", "", "cloudflare tls_certificate_error"},
		{527, "CF-Ray: 1-FRA", "", "cloudflare unknown"},
		{521, "", "", ""}, // somebody else's
		{530, "CF-Ray: 1-FRA", "error code: 1016", "cloudflare dns_error"},
		{530, "CF-Ray: 1-FRA", "error code: 1033", "cloudflare destination_unavailable"},
		{530, "CF-Ray: 1-FRA", "error code: 1999", "cloudflare unknown"},
		{530, "CF-Ray: 1-FRA", "error code: 9", ""},
		{403, "CF-Ray: 1-FRA", `<span class="cf-error-code">1020</span>`, "cloudflare http_request_denied"},
		{429, "CF-Ray: 1-FRA", "error code: 1015", "cloudflare http_request_denied"},
		{502, "CF-Ray: 1-FRA", "<hr><center>cloudflare</center>", "cloudflare unknown"},
		{502, "CF-Ray: 1-FRA", "<hr><center>nginx/1.27.0</center>", "nginx unknown"},
		{500, "CF-Ray: 1-FRA", "oops", ""},
		{403, "CF-Ray: 1-FRA", "error code: 1005", "cloudflare http_request_denied"},
		{403, "CF-Ray: 1-FRA", "error code: 1106", "cloudflare http_request_denied"},
		{409, "CF-Ray: 1-FRA", "error code: 1018", "cloudflare proxy_configuration_error"},
		{530, "Cf-Error-Type: 1016", "a page of the customer's", "cloudflare dns_error"},
		{500, "Cf-Error-Type: 1101", "", "cloudflare proxy_internal_error"},
		{500, "Cf-Error-Type: 522", "", "cloudflare connection_timeout"},
		{530, "Cf-Error-Type: 1999", "", "cloudflare unknown"},
		{500, "Cf-Error-Type: waf", "oops", ""},
		{500, "Cf-Error-Type: -1016", "", ""},

		{502, "Server: CloudFront|X-Cache: Error from cloudfront",
			"CloudFront wasn't able to resolve the origin domain name.", "cloudfront dns_error"},
		{502, "Server: CloudFront|X-Cache: Error from cloudfront",
			"CloudFront wasn't able to connect to the origin.", "cloudfront destination_unavailable"},
		{504, "Server: CloudFront|X-Cache: Error from cloudfront", "", "cloudfront http_response_timeout"},
		{504, "X-Cache: Error from cloudfront", "CloudFront attempted to establish a connection with the origin, but " +
			"either the attempt failed or the origin closed the connection.\nGenerated by cloudfront (CloudFront)",
			"cloudfront destination_unavailable"},
		{502, "X-Cache: Error from cloudfront", "<H1>502 Bad Gateway ERROR</H1><PRE>\nGenerated by cloudfront " +
			"(CloudFront)\nRequest ID: x", "cloudfront unknown"},
		{504, "X-Cache: Error from cloudfront", "<H1>504 Gateway Timeout ERROR</H1><PRE>\nGenerated by cloudfront " +
			"(CloudFront) HTTP3 Server\nRequest ID: x", "cloudfront http_response_timeout"},
		{503, "", "<H1>503 ERROR</H1>\nGenerated by cloudfront (CloudFront)", "cloudfront unknown"},
		{403, "Server: CloudFront", "<H1>403 ERROR</H1>\nRequest blocked.\nGenerated by cloudfront (CloudFront)",
			"cloudfront http_request_denied"},
		{404, "", "Generated by cloudfront (CloudFront)", ""},
		{503, "Server: gunicorn|X-Cache: Error from cloudfront", "", ""}, // the origin's
		{502, "Server: awselb/2.0", "<h1>502 Bad Gateway</h1>", "alb unknown"},
		{503, "Server: awselb/2.0", "", "alb destination_unavailable"},
		{504, "Server: awselb/2.0", "", "alb http_response_timeout"},
		{404, "Server: awselb/2.0", "", ""}, // a fixed response
		{502, "Server: Microsoft-Azure-Application-Gateway/v2",
			"<hr><center>Microsoft-Azure-Application-Gateway/v2</center>", "azure unknown"},
		{504, "Server: Microsoft-Azure-Application-Gateway/v2", "", "azure http_response_timeout"},
		{503, "", "<h2>Our services aren't available right now</h2>", "azure unknown"},
		{502, "Via: 1.1 google", "<h2>The server encountered a temporary error and could not complete your request.",
			"google unknown"},

		{503, "X-Squid-Error: ERR_DNS_FAIL 0", "", "squid dns_error"},
		{503, "X-Squid-Error: ERR_CONNECT_FAIL 110", "", "squid connection_timeout"},
		{503, "X-Squid-Error: ERR_CONNECT_FAIL 5", "", "squid destination_unavailable"},
		{502, "X-Squid-Error: ERR_ZERO_SIZE_OBJECT 104", "", "squid http_response_incomplete"},
		{500, "X-Squid-Error: ERR_" + strings.Repeat("X", 9999), "", "squid unknown"},

		{200, "Proxy-Status: cdn; error=connection_refused", "", "other connection_refused"}, // a stale response
		{503, "Proxy-Status: cdn; error=http_response_timeout|X-Squid-Error: ERR_DNS_FAIL 0", "",
			"other http_response_timeout"},
	} {
		h := http.Header{}
		for field := range strings.SplitSeq(row.head, "|") {
			if name, value, ok := strings.Cut(field, ": "); ok {
				h.Add(name, value)
			}
		}
		if got := put(Of(Answer{Status: row.status, Header: h, Body: []byte(row.body)})); got != row.want {
			t.Errorf("Of(%d, %s, %.60q) = %q, want %q", row.status, row.head, row.body, got, row.want)
		}
	}
}

// Proxy-Status by the grammar of structured fields. What is malformed is ignored as a whole.
func TestProxyStatus(t *testing.T) {
	for _, row := range []struct {
		field []string
		want  string
	}{
		{[]string{`r34.example.net; error=http_request_error, ExampleCDN`}, "other http_request_error"},
		{[]string{`FooProxy, ExampleCDN; error=connection_timeout; details="a \"quoted\", b; error=dns_error"`},
			"other connection_timeout"},
		{[]string{`origin;error=dns_timeout`, `cdn;error=connection_refused`}, "other dns_timeout"},
		{[]string{`"envoy 1.30"; error=tls_alert_received; alert-id=40; alert-message="x"`}, "envoy tls_alert_received"},
		{[]string{`cloudflare-proxy; error=dns_error`}, "cloudflare dns_error"},
		{[]string{`cdn; received-status=500; next-hop="10.0.0.1"; next-protocol=h2; flag; b=:aGk=:; d=1.5; t=@1; e=?0`},
			""},
		{[]string{`cdn; error=dns_error; error=connection_refused`}, "other connection_refused"},
		{[]string{`cdn; error=not_in_the_list`}, "other unknown"},
		{[]string{`cdn; error=` + strings.Repeat("x", 2000)}, "other unknown"},
		{[]string{""}, ""},
		{[]string{"cdn"}, ""},
		{[]string{`cdn; error=dns_error,`}, ""},
		{[]string{`cdn; error=dns_error x`}, ""},
		{[]string{`cdn; error=dns_error; details="no end`}, ""},
		{[]string{`cdn; error=dns_error; details="\x"`}, ""},
		{[]string{"cdn; error=dns_error; details=\"\x01\""}, ""},
		{[]string{`cdn; error=`}, ""},
		{[]string{`cdn; error=dns_error; Upper=1`}, ""},
		{[]string{`cdn; error=dns_error; n=1.`}, ""},
		{[]string{`cdn; error=dns_error; n=1.2.3`}, ""},
		{[]string{`cdn; error=dns_error; b=?2`}, ""},
		{[]string{`cdn; error=dns_error; b=:a`}, ""},
		{[]string{`(cdn other); error=dns_error`}, ""}, // no inner lists (RFC 9209 section 2)
	} {
		if got := put(proxyStatus(row.field)); got != row.want {
			t.Errorf("proxyStatus(%.80q) = %q, want %q", row.field, got, row.want)
		}
	}
}

// A field that is too long is not parsed, in one line or in many.
func TestProxyStatusBound(t *testing.T) {
	const bound = 4 << 10
	padded := func(bytes int) []string {
		begin, end := `cdn; error=dns_error; details="`, `"`
		return []string{begin + strings.Repeat("x", bytes-len(", ")-len(begin)-len(end)) + end}
	}
	for _, row := range []struct {
		field []string
		want  string
	}{
		{padded(bound), "other dns_error"},
		{padded(bound + 1), ""},
		{append(slices.Repeat([]string{"cdn"}, bound/5), "cdn; error=dns_error"), ""},
	} {
		if got := put(proxyStatus(row.field)); got != row.want {
			t.Errorf("proxyStatus of %d lines = %q, want %q", len(row.field), got, row.want)
		}
	}
	claims.Prove(t, "a Proxy-Status field that is parsed", bound)
}

// Whatever an answer has, what is read of it is from the closed lists.
func FuzzOf(f *testing.F) {
	f.Add(503, `cdn; error=dns_error; details="x"`, "ERR_DNS_FAIL 0", "error code: 1016")
	f.Add(530, "a, b", "", "no healthy upstream")
	f.Fuzz(func(t *testing.T, status int, proxyStatus, squid, body string) {
		h := http.Header{"Proxy-Status": {proxyStatus}, "Cf-Ray": {"1"}}
		if squid != "" {
			h.Set("X-Squid-Error", squid)
		}
		u := Of(Answer{Status: status, Header: h, Body: []byte(body)})
		if u == nil {
			return
		}
		reason, by := false, false
		for _, r := range result.UpstreamReasons {
			reason = reason || r.Reason == u.Reason
		}
		for _, g := range result.Gateways {
			by = by || g.By == u.By
		}
		if !reason || !by {
			t.Errorf("%+v is in no closed list", u)
		}
	})
}

// An answer without a failure costs nothing.
func TestHealthyCostsNothing(t *testing.T) {
	a := Answer{Status: 200, Header: http.Header{"Server": {"envoy"}, "Cf-Ray": {"1"}}}
	if n := testing.AllocsPerRun(100, func() { Of(a) }); n != 0 {
		t.Errorf("%v allocations for a 200, want 0", n)
	}
}

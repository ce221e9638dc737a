package prober_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// What a gateway's answer states comes from its head, from the beginning of an error's body, and from a proxy's answer
// to CONNECT; nothing of a healthy answer's body is read for it.
func TestUpstream(t *testing.T) {
	answers := func(status int, proxyStatus, body string) func(faultlab.Host) string {
		return func(h faultlab.Host) string {
			return faultlab.Handler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if proxyStatus != "" {
					w.Header().Set("Proxy-Status", proxyStatus)
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
		}
	}
	const noHealthy = "no healthy upstream"
	for _, row := range []struct {
		name   string
		serve  func(faultlab.Host) string
		proxy  func(faultlab.Host) string
		method string
		want   result.Upstream // zero for nothing
	}{
		{"a page", answers(503, "", noHealthy), nil, "GET", result.Upstream{Reason: result.DestinationUnavailable,
			By: result.ByEnvoy}},
		{"a page after HEAD", answers(503, "", noHealthy), nil, "HEAD", result.Upstream{}},
		{"the status after HEAD", answers(504, "", ""), nil, "HEAD", result.Upstream{
			Reason: result.HTTPResponseTimeout, By: result.ByUnknown}},
		{"a page of 403", answers(403, "", "RBAC: access denied"), nil, "GET", result.Upstream{
			Reason: result.HTTPRequestDenied, By: result.ByEnvoy}},
		{"a page's beginning counts", answers(503, "", strings.Repeat(" ", 2<<10)+noHealthy), nil, "GET",
			result.Upstream{}},
		{"a healthy answer with the words", answers(200, "", noHealthy), nil, "GET", result.Upstream{}},
		{"Proxy-Status of a healthy answer", answers(200, "cdn; error=connection_refused", "stale"), nil, "GET",
			result.Upstream{Reason: result.ConnectionRefused, By: result.ByOther}},
		{"Proxy-Status before the page", answers(503, "haproxy; error=dns_error", noHealthy), nil, "GET",
			result.Upstream{Reason: result.DNSErrorUpstream, By: result.ByHAProxy}},
		{"CONNECT 503", nil, connectStatus(503), "GET", result.Upstream{Reason: result.UpstreamUnknown,
			By: result.ByProxy}},
		{"CONNECT 403", nil, connectStatus(403), "GET", result.Upstream{Reason: result.HTTPRequestDenied,
			By: result.ByProxy}},
		{"SOCKS 5", nil, socksReply(5), "GET", result.Upstream{Reason: result.ConnectionRefused,
			By: result.ByProxy}},
		{"SOCKS 2", nil, socksReply(2), "GET", result.Upstream{Reason: result.HTTPRequestDenied,
			By: result.ByProxy}},
		{"SOCKS 1", nil, socksReply(1), "GET", result.Upstream{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := module.New("upstream")
			m.PreferIPv6, m.Method = false, row.method
			url := secureTarget
			if row.proxy != nil {
				m.SkipResolve, m.Proxy = true, through(row.proxy(t))
			} else {
				url = row.serve(t)
			}
			target, err := prober.ParseTarget(url)
			if err != nil {
				t.Fatal(err)
			}
			r := prober.New(prober.Options{UserAgent: "test"}).Probe(t.Context(), target, m)
			var got, summary result.Upstream
			if u := r.Last().LastHop().Upstream; u != nil {
				got = *u
			}
			if u := r.Summary().Last().LastHop().Upstream; u != nil {
				summary = *u
			}
			if got != row.want || summary != row.want {
				t.Errorf("upstream %+v, in the summary %+v, want %+v", got, summary, row.want)
			}
		})
	}
}

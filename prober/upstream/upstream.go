// Package upstream reads what gateways state about their upstreams: in Proxy-Status (RFC 9209), in fields of their own,
// and in the texts of their error pages. It is a function of a response's status, header, and the beginning of its
// body, and its answers are from closed lists.
//
// A statement counts if its source names the gateway: Proxy-Status first, then texts that only one program writes, then
// fields. What is left is the status: 502 and 504 are a gateway's by definition (RFC 9110 sections 15.6.3 and 15.6.5),
// 503 is not.
package upstream

import (
	"net/http"
	"strings"

	"errno_exporter/prober/result"
)

// Answer is a response, or the beginning of one.
type Answer struct {
	Status     int
	StatusText string // the status line without the version; over HTTP/2 it has no words of the server
	Header     http.Header
	Body       []byte // its beginning; nil for none
}

// Of is what an answer states about the gateway's upstream; nil for nothing. Below 400 only Proxy-Status counts.
func Of(a Answer) *result.Upstream {
	if fields := a.Header["Proxy-Status"]; len(fields) > 0 {
		if u := proxyStatus(fields); u != nil {
			return u
		}
	}
	if a.Status < http.StatusBadRequest {
		return nil
	}
	if u := ofFields(&a); u != nil {
		return u
	}
	if u := ofPage(a.Status, a.Body); u != nil {
		return u
	}
	if u := ofStatusLine(&a); u != nil {
		return u
	}
	if u := ofServer(&a); u != nil {
		return u
	}
	switch a.Status {
	case http.StatusBadGateway:
		return &result.Upstream{Reason: result.UpstreamUnknown, By: result.ByUnknown}
	case http.StatusGatewayTimeout:
		return &result.Upstream{Reason: result.HTTPResponseTimeout, By: result.ByUnknown}
	}
	return nil
}

// page is a text that only one program writes into its error pages.
type page struct {
	text   string // in lower case
	status int    // that it is written with; 0 for any
	by     result.Gateway
	reason result.UpstreamReason
}

// pages are in order: an earlier text decides. What is written as a fact of a vendor names its document.
var pages = []page{
	// Envoy's local replies (source/common/router/router.cc, source/common/http/utility.cc: the reset reasons).
	{"reset reason: overflow", 0, result.ByEnvoy, result.ConnectionLimitReached},
	{"reset reason: protocol error", 0, result.ByEnvoy, result.HTTPProtocolErrorUpstream},
	{"reset reason: connection timeout", 0, result.ByEnvoy, result.ConnectionTimeout},
	{"reset reason: connection termination", 0, result.ByEnvoy, result.ConnectionTerminated},
	{"reset reason: remote reset", 0, result.ByEnvoy, result.ConnectionTerminated},
	{"certificate_verify_failed", 0, result.ByEnvoy, result.TLSCertificateError},
	{"transport failure reason: tls_error", 0, result.ByEnvoy, result.TLSProtocolErrorUpstream},
	{"delayed connect error: 111", 0, result.ByEnvoy, result.ConnectionRefused},
	{"delayed connect error: connection refused", 0, result.ByEnvoy, result.ConnectionRefused},
	{"delayed connect error: 113", 0, result.ByEnvoy, result.DestinationIPUnroutable},
	{"upstream connect error or disconnect/reset before headers", 0, result.ByEnvoy, result.DestinationUnavailable},
	{"no healthy upstream", 503, result.ByEnvoy, result.DestinationUnavailable},
	{"upstream request timeout", 504, result.ByEnvoy, result.HTTPResponseTimeout},
	{"rbac: access denied", 403, result.ByEnvoy, result.HTTPRequestDenied},
	// HAProxy's pages (src/http.c).
	{"no server is available to handle this request.", 503, result.ByHAProxy, result.DestinationUnavailable},
	{"the server returned an invalid or incomplete response.", 502, result.ByHAProxy, result.HTTPProtocolErrorUpstream},
	{"the server didn't respond in time.", 504, result.ByHAProxy, result.HTTPResponseTimeout},
	{"request forbidden by administrative rules.", 403, result.ByHAProxy, result.HTTPRequestDenied},
	{"<h1>500 internal server error</h1>\nan internal server error occurred.", 500, result.ByHAProxy,
		result.ProxyInternalError},
	// Fastly is Varnish with messages of its own ("Common 503 errors" of its documentation), and misspells Guru.
	{"503 first byte timeout", 503, result.ByFastly, result.HTTPResponseTimeout},
	{"503 between bytes timeout", 503, result.ByFastly, result.ConnectionReadTimeout},
	{"503 backend read error", 503, result.ByFastly, result.ConnectionTerminated},
	{"503 backend is unhealthy", 503, result.ByFastly, result.DestinationUnavailable},
	{"503 backend.max_conn reached", 503, result.ByFastly, result.ConnectionLimitReached},
	{"503 certificate has expired", 503, result.ByFastly, result.TLSCertificateError},
	{"503 hostname doesn't match against certificate", 503, result.ByFastly, result.TLSCertificateError},
	{"503 connection timed out", 503, result.ByFastly, result.ConnectionTimeout},
	{"503 connection refused", 503, result.ByFastly, result.ConnectionRefused},
	{"<p>guru mediation:", 503, result.ByFastly, result.UpstreamUnknown},
	// Varnish's page (bin/varnishd/builtin.vcl) is also that of synth(503), a rule: the words tell.
	{"503 backend fetch failed", 503, result.ByVarnish, result.DestinationUnavailable},
	{"<h1>error 503 vcl failed</h1>", 503, result.ByVarnish, result.ProxyInternalError},
	// Apache's mod_proxy (modules/proxy/proxy_util.c).
	{"reason: <strong>dns lookup failure for", 0, result.ByApache, result.DNSErrorUpstream},
	{"reason: <strong>error during ssl handshake with remote server", 0, result.ByApache,
		result.TLSProtocolErrorUpstream},
	{"the proxy server received an invalid\nresponse from an upstream server", 502, result.ByApache,
		result.UpstreamUnknown}, // an upstream that does not answer in time has it, too
	{"the gateway did not receive a timely response", 504, result.ByApache, result.HTTPResponseTimeout},
	// Apache Traffic Server's (configs/body_factory/default: connect#dns_failed, connect#failed_connect,
	// timeout#inactivity). A name that is not resolved is 500 there.
	{"unable to locate the server requested ---\nthe server does not have a dns entry", 0, result.ByTraffic,
		result.DNSErrorUpstream},
	{"description: could not connect to the requested server host.", 502, result.ByTraffic,
		result.DestinationUnavailable},
	{"description: too much time has passed without sending any data for document.", 504, result.ByTraffic,
		result.HTTPResponseTimeout},
	// nginx' pages (src/http/ngx_http_special_response.c) do not say why. Cloudflare's bare ones are made likewise.
	{"<hr><center>nginx", 502, result.ByNginx, result.UpstreamUnknown},
	{"<hr><center>nginx", 504, result.ByNginx, result.HTTPResponseTimeout},
	{"<hr><center>openresty", 502, result.ByNginx, result.UpstreamUnknown},
	{"<hr><center>openresty", 504, result.ByNginx, result.HTTPResponseTimeout},
	{"<hr><center>cloudflare", 502, result.ByCloudflare, result.UpstreamUnknown},
	{"<hr><center>cloudflare", 504, result.ByCloudflare, result.HTTPResponseTimeout},
	// So are those of Azure's Application Gateway (github.com/MicrosoftDocs/azure-docs/issues/110739).
	{"<center>microsoft-azure-application-gateway", 502, result.ByAzure, result.UpstreamUnknown},
	{"<center>microsoft-azure-application-gateway", 504, result.ByAzure, result.HTTPResponseTimeout},
	// CloudFront's, of 2018 (github.com/EdOverflow/can-i-take-over-xyz/issues/66, for the name "Troubleshooting error
	// responses from your origin" of its documentation), of 2021 (github.com/chanzuckerberg/single-cell-data-portal/
	// issues/1250, github.com/kartikey54/VaccineAvailabilityNotifier/issues/74) and of 2026, which does not say why
	// (github.com/caddyserver/caddy/issues/7445, github.com/NIyueeE/ds-free-api/issues/25).
	{"cloudfront wasn't able to resolve the origin domain name", 502, result.ByCloudFront, result.DNSErrorUpstream},
	{"cloudfront wasn't able to connect to the origin", 502, result.ByCloudFront, result.DestinationUnavailable},
	{"cloudfront attempted to establish a connection with the origin, but either the attempt failed", 0,
		result.ByCloudFront, result.DestinationUnavailable},
	{"generated by cloudfront (cloudfront)", 403, result.ByCloudFront, result.HTTPRequestDenied},
	{"generated by cloudfront (cloudfront)", 502, result.ByCloudFront, result.UpstreamUnknown},
	{"generated by cloudfront (cloudfront)", 503, result.ByCloudFront, result.UpstreamUnknown},
	{"generated by cloudfront (cloudfront)", 504, result.ByCloudFront, result.HTTPResponseTimeout},
	// Google's front ends (github.com/mislav/hub/issues/2602).
	{"the server encountered a temporary error and could not complete your request", 502, result.ByGoogle,
		result.UpstreamUnknown},
	// Azure Front Door (github.com/Azure/static-web-apps/issues/774; a timeout is 503 or 504 by
	// learn.microsoft.com/azure/frontdoor/front-door-troubleshoot-routing).
	{"our services aren't available right now", 503, result.ByAzure, result.UpstreamUnknown},
	{"our services aren't available right now", 504, result.ByAzure, result.HTTPResponseTimeout},
}

// ofPage finds the program that wrote a page.
func ofPage(status int, body []byte) *result.Upstream {
	if len(body) == 0 {
		return nil
	}
	text := strings.ToLower(string(body))
	for i := range pages {
		if p := &pages[i]; (p.status == 0 || p.status == status) && strings.Contains(text, p.text) {
			return &result.Upstream{Reason: p.reason, By: p.by}
		}
	}
	return nil
}

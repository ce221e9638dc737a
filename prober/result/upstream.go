package result

import (
	"strings"
)

// Upstream is what a gateway's own answer states: that it got no valid answer from the next server, or that it refuses
// the request itself.
type Upstream struct {
	Reason UpstreamReason
	By     Gateway
}

// UpstreamReason is an error type of RFC 9209 section 2.3, or UpstreamUnknown.
type UpstreamReason string

// Gateway is what gave the answer.
type Gateway string

// The reasons that this program gives by itself; Proxy-Status may name any of UpstreamReasons.
const (
	DNSErrorUpstream          UpstreamReason = "dns_error"
	DestinationNotFound       UpstreamReason = "destination_not_found"
	DestinationUnavailable    UpstreamReason = "destination_unavailable"
	DestinationIPProhibited   UpstreamReason = "destination_ip_prohibited"
	DestinationIPUnroutable   UpstreamReason = "destination_ip_unroutable"
	ConnectionRefused         UpstreamReason = "connection_refused"
	ConnectionTerminated      UpstreamReason = "connection_terminated"
	ConnectionTimeout         UpstreamReason = "connection_timeout"
	ConnectionReadTimeout     UpstreamReason = "connection_read_timeout"
	ConnectionLimitReached    UpstreamReason = "connection_limit_reached"
	TLSProtocolErrorUpstream  UpstreamReason = "tls_protocol_error"
	TLSCertificateError       UpstreamReason = "tls_certificate_error"
	HTTPRequestError          UpstreamReason = "http_request_error"
	HTTPRequestDenied         UpstreamReason = "http_request_denied"
	HTTPResponseIncomplete    UpstreamReason = "http_response_incomplete"
	HTTPResponseBodySize      UpstreamReason = "http_response_body_size"
	HTTPResponseTimeout       UpstreamReason = "http_response_timeout"
	HTTPProtocolErrorUpstream UpstreamReason = "http_protocol_error"
	ProxyInternalError        UpstreamReason = "proxy_internal_error"
	ProxyConfigurationError   UpstreamReason = "proxy_configuration_error"
	ProxyLoopDetected         UpstreamReason = "proxy_loop_detected"
	UpstreamUnknown           UpstreamReason = "unknown" // the gateway names no reason, or one that is not in the list
)

// The gateways.
const (
	ByALB        Gateway = "alb" // AWS Application Load Balancer
	ByApache     Gateway = "apache"
	ByAzure      Gateway = "azure"
	ByCloudflare Gateway = "cloudflare"
	ByCloudFront Gateway = "cloudfront"
	ByEnvoy      Gateway = "envoy"
	ByFastly     Gateway = "fastly"
	ByGoogle     Gateway = "google"
	ByHAProxy    Gateway = "haproxy"
	ByNginx      Gateway = "nginx"
	ByProxy      Gateway = "proxy" // the module's, which does not name itself
	ByPrivoxy    Gateway = "privoxy"
	BySquid      Gateway = "squid"
	ByTinyproxy  Gateway = "tinyproxy"
	ByTraffic    Gateway = "trafficserver" // Apache Traffic Server
	ByVarnish    Gateway = "varnish"
	ByOther      Gateway = "other"   // Proxy-Status names one that is not in the list
	ByUnknown    Gateway = "unknown" // only the status shows that it is a gateway
)

// Gateways is the closed list, with their names in sentences.
var Gateways = []struct {
	By   Gateway
	Name string
}{
	{ByALB, "AWS's load balancer"}, {ByApache, "Apache"}, {ByAzure, "Azure"}, {ByCloudflare, "Cloudflare"},
	{ByCloudFront, "CloudFront"}, {ByEnvoy, "Envoy"}, {ByFastly, "Fastly"}, {ByGoogle, "Google"},
	{ByHAProxy, "HAProxy"}, {ByNginx, "nginx"}, {ByPrivoxy, "Privoxy"}, {ByProxy, "the proxy"}, {BySquid, "Squid"},
	{ByTinyproxy, "Tinyproxy"}, {ByTraffic, "Apache Traffic Server"}, {ByVarnish, "Varnish"},
	{ByOther, "a gateway"}, {ByUnknown, "a gateway"},
}

// Name is the gateway's name in a sentence.
func (g Gateway) Name() string {
	for _, one := range Gateways {
		if one.By == g {
			return one.Name
		}
	}
	return string(g)
}

// Stage is on which side of a gateway an error is.
type Stage int

// The stages.
const (
	BehindGateway Stage = iota // the gateway got no valid answer from its upstream
	AtGateway                  // the gateway itself fails
	RequestError               // the gateway refuses the request as malformed
	RequestDenied              // the gateway refuses by a rule
)

// UpstreamReasons is the closed list: RFC 9209 section 2.3, and unknown.
var UpstreamReasons = []struct {
	Reason UpstreamReason
	Stage  Stage
	Name   bool // the gateway did not resolve the name
}{
	{Reason: "dns_timeout", Name: true},
	{Reason: DNSErrorUpstream, Name: true},
	{Reason: DestinationNotFound, Stage: AtGateway},
	{Reason: DestinationUnavailable},
	{Reason: DestinationIPProhibited, Stage: RequestDenied},
	{Reason: DestinationIPUnroutable},
	{Reason: ConnectionRefused},
	{Reason: ConnectionTerminated},
	{Reason: ConnectionTimeout},
	{Reason: ConnectionReadTimeout},
	{Reason: "connection_write_timeout"},
	{Reason: ConnectionLimitReached},
	{Reason: TLSProtocolErrorUpstream},
	{Reason: TLSCertificateError},
	{Reason: "tls_alert_received"},
	{Reason: HTTPRequestError, Stage: RequestError},
	{Reason: HTTPRequestDenied, Stage: RequestDenied},
	{Reason: HTTPResponseIncomplete},
	{Reason: "http_response_header_section_size"},
	{Reason: "http_response_header_size"},
	{Reason: HTTPResponseBodySize},
	{Reason: "http_response_trailer_section_size"},
	{Reason: "http_response_trailer_size"},
	{Reason: "http_response_transfer_coding"},
	{Reason: "http_response_content_coding"},
	{Reason: HTTPResponseTimeout},
	{Reason: "http_upgrade_failed"},
	{Reason: HTTPProtocolErrorUpstream},
	{Reason: "proxy_internal_response", Stage: AtGateway},
	{Reason: ProxyInternalError, Stage: AtGateway},
	{Reason: ProxyConfigurationError, Stage: AtGateway},
	{Reason: ProxyLoopDetected, Stage: AtGateway},
	{Reason: UpstreamUnknown},
}

// Stage is on which side of the gateway the error is.
func (r UpstreamReason) Stage() Stage {
	for _, one := range UpstreamReasons {
		if one.Reason == r {
			return one.Stage
		}
	}
	return BehindGateway
}

// OfName reports whether the gateway did not resolve a name.
func (r UpstreamReason) OfName() bool {
	for _, one := range UpstreamReasons {
		if one.Reason == r {
			return one.Name
		}
	}
	return false
}

// Marks are texts that the beginning of an error's body contains: what maintenance pages write. They are found without
// keeping the body.
type Marks uint8

// The marks. What gateways write is read by prober/upstream.
const (
	MaintenanceWords Marks = 1 << iota // the page says that it is maintenance
)

// markTexts are the texts in lower case.
var markTexts = []struct {
	mark Marks
	text string
}{
	{MaintenanceWords, "maintenance"},
}

// apachePage is in Apache's own page for every 503: that it may be maintenance says nothing.
const apachePage = "maintenance downtime or capacity"

// MarksOf are the marks in a text.
func MarksOf(body []byte) Marks {
	text, found := strings.ToLower(string(body)), Marks(0)
	text = strings.ReplaceAll(text, apachePage, "")
	for _, m := range markTexts {
		if strings.Contains(text, m.text) {
			found |= m.mark
		}
	}
	return found
}

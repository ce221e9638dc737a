package upstream

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"errno_exporter/prober/result"
)

// ofFields reads what gateways state in fields of their own.
func ofFields(a *Answer) *result.Upstream {
	if squid := a.Header.Get("X-Squid-Error"); squid != "" {
		return &result.Upstream{Reason: squidReason(squid), By: result.BySquid}
	}
	if flags := a.Header.Get("X-Envoy-Response-Flags"); flags != "" {
		if reason := envoyReason(flags); reason != "" {
			return &result.Upstream{Reason: reason, By: result.ByEnvoy}
		}
	}
	if reason := cloudflareReason(a); reason != "" {
		return &result.Upstream{Reason: reason, By: result.ByCloudflare}
	}
	return nil
}

// squidReasons are the names of Squid's error pages (src/err_type.h). The number behind a name is the errno that Squid
// met.
var squidReasons = map[string]result.UpstreamReason{
	"ERR_DNS_FAIL":                result.DNSErrorUpstream,
	"ERR_CONNECT_FAIL":            result.DestinationUnavailable,
	"ERR_SECURE_CONNECT_FAIL":     result.TLSProtocolErrorUpstream,
	"ERR_READ_TIMEOUT":            result.HTTPResponseTimeout,
	"ERR_LIFETIME_EXP":            result.HTTPResponseTimeout,
	"ERR_READ_ERROR":              result.ConnectionTerminated,
	"ERR_WRITE_ERROR":             result.ConnectionTerminated,
	"ERR_ZERO_SIZE_OBJECT":        result.HTTPResponseIncomplete,
	"ERR_INVALID_RESP":            result.HTTPProtocolErrorUpstream,
	"ERR_CANNOT_FORWARD":          result.DestinationUnavailable,
	"ERR_ACCESS_DENIED":           result.HTTPRequestDenied,
	"ERR_CACHE_ACCESS_DENIED":     result.HTTPRequestDenied,
	"ERR_FORWARDING_DENIED":       result.HTTPRequestDenied,
	"ERR_CONFLICT_HOST":           result.HTTPRequestError,
	"ERR_INVALID_REQ":             result.HTTPRequestError,
	"ERR_INVALID_URL":             result.HTTPRequestError,
	"ERR_UNSUP_REQ":               result.HTTPRequestError,
	"ERR_UNSUP_HTTPVERSION":       result.HTTPRequestError,
	"ERR_PROTOCOL_UNKNOWN":        result.HTTPRequestError,
	"ERR_SHUTTING_DOWN":           result.ProxyInternalError,
	"ERR_SOCKET_FAILURE":          result.ProxyInternalError,
	"ERR_ICAP_FAILURE":            result.ProxyInternalError,
	"ERR_ESI":                     result.ProxyInternalError,
	"ERR_ACL_TIME_QUOTA_EXCEEDED": result.HTTPRequestDenied,
}

// connectErrnos are the errnos of Linux that a connection of Squid may fail with.
var connectErrnos = map[string]result.UpstreamReason{
	"101": result.DestinationIPUnroutable, // ENETUNREACH
	"104": result.ConnectionTerminated,    // ECONNRESET
	"110": result.ConnectionTimeout,       // ETIMEDOUT
	"111": result.ConnectionRefused,       // ECONNREFUSED
	"113": result.DestinationIPUnroutable, // EHOSTUNREACH
}

func squidReason(field string) result.UpstreamReason {
	name, errno, _ := strings.Cut(field, " ")
	reason, known := squidReasons[name]
	if !known {
		return result.UpstreamUnknown
	}
	if named := connectErrnos[errno]; named != "" && reason == result.DestinationUnavailable {
		return named
	}
	return reason
}

// envoyFlags are Envoy's response flags (access log documentation, %RESPONSE_FLAGS%), for configurations that send them
// in a field.
var envoyFlags = map[string]result.UpstreamReason{
	"DF": result.DNSErrorUpstream, "NR": result.DestinationNotFound, "NC": result.DestinationNotFound,
	"UH": result.DestinationUnavailable, "LH": result.DestinationUnavailable, "UF": result.DestinationUnavailable,
	"UO": result.ConnectionLimitReached, "UT": result.HTTPResponseTimeout, "UMSDR": result.HTTPResponseTimeout,
	"SI": result.HTTPResponseTimeout, "UC": result.ConnectionTerminated, "UR": result.ConnectionTerminated,
	"LR": result.ConnectionTerminated, "UPE": result.HTTPProtocolErrorUpstream, "DPE": result.HTTPRequestError,
	"IH": result.HTTPRequestError, "RL": result.HTTPRequestDenied, "UAEX": result.HTTPRequestDenied,
	"RLSE": result.ProxyInternalError, "FI": result.ProxyInternalError, "OM": result.ProxyInternalError,
}

// envoyReason reads a list of flags, of which "-" and retries (URX) do not say what failed.
func envoyReason(flags string) result.UpstreamReason {
	for flag := range strings.SplitSeq(flags, ",") {
		if reason := envoyFlags[strings.TrimSpace(flag)]; reason != "" {
			return reason
		}
	}
	return ""
}

// cloudflareStatuses are Cloudflare's own (developers.cloudflare.com/support/troubleshooting/http-status-codes/
// cloudflare-5xx-errors/; 527 was Railgun's, and is no longer documented). 530 comes with a code.
var cloudflareStatuses = map[int]result.UpstreamReason{
	520: result.UpstreamUnknown,
	521: result.ConnectionRefused,
	522: result.ConnectionTimeout,
	523: result.DestinationIPUnroutable,
	524: result.HTTPResponseTimeout,
	525: result.TLSProtocolErrorUpstream,
	526: result.TLSCertificateError,
	527: result.UpstreamUnknown,
}

// cloudflareCodes are those of its error pages (developers.cloudflare.com/support/troubleshooting/http-status-codes/
// cloudflare-1xxx-errors/); others are not known.
var cloudflareCodes = map[int]result.UpstreamReason{
	1000: result.DestinationIPProhibited, 1001: result.DNSErrorUpstream, 1002: result.DestinationIPProhibited,
	1003: result.HTTPRequestError, 1004: result.ProxyConfigurationError, 1005: result.HTTPRequestDenied,
	1006: result.HTTPRequestDenied, 1007: result.HTTPRequestDenied, 1008: result.HTTPRequestDenied,
	1009: result.HTTPRequestDenied, 1010: result.HTTPRequestDenied, 1011: result.HTTPRequestDenied,
	1012: result.HTTPRequestDenied, 1013: result.HTTPRequestError, 1014: result.ProxyConfigurationError,
	1015: result.HTTPRequestDenied, 1016: result.DNSErrorUpstream, 1018: result.ProxyConfigurationError,
	1019: result.ProxyLoopDetected, 1020: result.HTTPRequestDenied, 1023: result.ProxyConfigurationError,
	1025: result.HTTPRequestDenied, // the plan's limit of requests to Workers is reached
	1033: result.DestinationUnavailable, 1034: result.DestinationIPProhibited,
	1035: result.ProxyConfigurationError, 1036: result.ProxyConfigurationError, 1037: result.ProxyConfigurationError,
	1040: result.ProxyConfigurationError, 1041: result.ProxyConfigurationError, // rewrites by its rules
	1101: result.ProxyInternalError, 1102: result.ProxyInternalError, 1106: result.HTTPRequestDenied,
	1200: result.ConnectionLimitReached,
}

// cloudflareReason is what one of its own answers states; empty for another's. Cf-Error-Type is in no other answer
// (developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-error-headers/). The code in the page
// is in the class cf-error-code or, for clients that want no HTML, after "error code:" (seen by
// github.com/codemanki/cloudscraper/pull/116 and github.com/JimmyLaurent/cloudflare-scraper/issues/27).
func cloudflareReason(a *Answer) result.UpstreamReason {
	kind := a.Header.Get("Cf-Error-Type")
	if kind == "" && a.Header.Get("Cf-Ray") == "" && !strings.EqualFold(a.Header.Get("Server"), "cloudflare") {
		return ""
	}
	if reason := cloudflareStatuses[a.Status]; reason != "" {
		return reason
	}
	if reason := cloudflareCode(kind); reason != "" {
		return reason
	}
	for _, mark := range []string{"error code: ", `cf-error-code">`} {
		if _, after, found := bytes.Cut(a.Body, []byte(mark)); found && len(after) >= 4 {
			if reason := cloudflareCode(string(after[:4])); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// cloudflareCode is what a code states; empty if it is none.
func cloudflareCode(text string) result.UpstreamReason {
	code, err := strconv.Atoi(text)
	if reason := cloudflareStatuses[code]; reason != "" {
		return reason
	}
	if err != nil || code < 1000 || code >= 2000 {
		return ""
	}
	if reason := cloudflareCodes[code]; reason != "" {
		return reason
	}
	return result.UpstreamUnknown
}

// albStatuses are those of AWS's Application Load Balancer (docs.aws.amazon.com/elasticloadbalancing/latest/
// application/load-balancer-troubleshooting.html). Its Server is awselb/2.0 (github.com/esi/esi-issues/issues/902).
var albStatuses = map[int]result.UpstreamReason{
	403: result.HTTPRequestDenied, // AWS WAF
	463: result.HTTPRequestError, 464: result.HTTPRequestError,
	500: result.ProxyInternalError, 501: result.HTTPRequestError, 502: result.UpstreamUnknown,
	503: result.DestinationUnavailable, 504: result.HTTPResponseTimeout, 505: result.HTTPRequestError,
}

// statusLines are those of forward proxies: the only words in an answer to CONNECT, with the program that
// Server names; Privoxy (cgi.c) has none. Tinyproxy (reqs.c) does not say why, and has the same for names it cannot
// resolve.
var statusLines = []struct {
	line, server string
	by           result.Gateway
	reason       result.UpstreamReason
}{
	{"404 No such domain", "", result.ByPrivoxy, result.DNSErrorUpstream},
	{"503 Connect failed", "", result.ByPrivoxy, result.DestinationUnavailable},
	{"503 Forwarding failure", "", result.ByPrivoxy, result.DestinationUnavailable},
	{"502 No data received from server or forwarder", "", result.ByPrivoxy, result.HTTPResponseIncomplete},
	{"504 Connection timeout", "", result.ByPrivoxy, result.HTTPResponseTimeout},
	{"403 Request blocked by Privoxy", "", result.ByPrivoxy, result.HTTPRequestDenied},
	{"500 Unable to connect", "tinyproxy", result.ByTinyproxy, result.UpstreamUnknown},
}

func ofStatusLine(a *Answer) *result.Upstream {
	program, _, _ := strings.Cut(strings.ToLower(a.Header.Get("Server")), "/")
	for i := range statusLines {
		if s := &statusLines[i]; s.line == a.StatusText && s.server == program {
			return &result.Upstream{Reason: s.reason, By: s.by}
		}
	}
	return nil
}

// ofServer reads the name of the program that answers, where that name shows that the answer is the gateway's own:
// what these relay keeps the origin's Server.
func ofServer(a *Answer) *result.Upstream {
	reason, by, status := result.UpstreamReason(""), result.Gateway(""), a.Status
	switch server := strings.ToLower(a.Header.Get("Server")); {
	case strings.HasPrefix(server, "awselb/"):
		reason, by = albStatuses[status], result.ByALB
	case strings.HasPrefix(server, "microsoft-azure-application-gateway/"): // as in its page
		reason, by = gatewayStatuses[status], result.ByAzure
	case server == "cloudfront" && strings.HasPrefix(a.Header.Get("X-Cache"), "Error from "):
		reason, by = gatewayStatuses[status], result.ByCloudFront
	case server == "varnish" && status == http.StatusServiceUnavailable && a.StatusText == "503 Backend fetch failed":
		reason, by = result.DestinationUnavailable, result.ByVarnish // with a page of the site's own
	case (server == "envoy" || server == "istio-envoy") && a.Header.Get("X-Envoy-Upstream-Service-Time") == "":
		if status >= http.StatusBadGateway { // with an upstream's answer, it would report how long that took
			reason, by = gatewayStatuses[status], result.ByEnvoy
		}
	case haproxyDefault(a):
		reason, by = result.DestinationUnavailable, result.ByHAProxy
	}
	if reason == "" {
		return nil
	}
	return &result.Upstream{Reason: reason, By: by}
}

// gatewayStatuses are what an answer of a gateway's own means where its text does not say more.
var gatewayStatuses = map[int]result.UpstreamReason{
	403: result.HTTPRequestDenied, 502: result.UpstreamUnknown, 503: result.UpstreamUnknown,
	504: result.HTTPResponseTimeout,
}

// haproxyDefault reports whether an answer has the head of the page that HAProxy has built in for 503, which it sends
// when no server is available: of 107 bytes, with Cache-Control, and with neither Server nor Date, which a server
// behind it would have. An answer to HEAD has no page.
func haproxyDefault(a *Answer) bool {
	h := a.Header
	return a.Status == http.StatusServiceUnavailable && h.Get("Content-Length") == "107" &&
		h.Get("Cache-Control") == "no-cache" && h.Get("Server") == "" && h.Get("Date") == ""
}

package upstream

import (
	"net/http"

	"errno_exporter/prober/result"
)

// OfConnect is what a proxy's answer to CONNECT states. It is the proxy's own: 502, 503 and 504 mean that it got no
// connection to the target (RFC 9110 section 15.6); other errors above 500, that the proxy fails itself; and what is
// below 500, or says that it does not offer tunnels (501, 505) or wants a login first (511), that it refuses. 500 does
// not say what failed: Apache sends it for a name that is not resolved. It is nil then.
func OfConnect(a Answer) *result.Upstream {
	u := Of(a)
	if u == nil && a.Status == http.StatusInternalServerError {
		return nil
	}
	if u == nil {
		u = &result.Upstream{Reason: reasonOfConnect(a.Status), By: result.ByProxy}
	}
	if u.By == result.ByUnknown {
		u.By = result.ByProxy
	}
	return u
}

func reasonOfConnect(status int) result.UpstreamReason {
	switch {
	case status == http.StatusServiceUnavailable:
		return result.UpstreamUnknown
	case status < http.StatusInternalServerError, status == http.StatusNotImplemented,
		status == http.StatusHTTPVersionNotSupported, status == http.StatusNetworkAuthenticationRequired:
		return result.HTTPRequestDenied
	}
	return result.ProxyInternalError
}

// socksReasons are the replies of RFC 1928 section 6 that name a reason.
var socksReasons = map[byte]result.UpstreamReason{
	2: result.HTTPRequestDenied,
	3: result.DestinationIPUnroutable,
	4: result.DestinationUnavailable,
	5: result.ConnectionRefused,
	6: result.DestinationIPUnroutable, // TTL expired
}

// OfSOCKS is what a SOCKS proxy's reply states; nil for nothing.
func OfSOCKS(reply byte) *result.Upstream {
	reason := socksReasons[reply]
	if reason == "" {
		return nil
	}
	return &result.Upstream{Reason: reason, By: result.ByProxy}
}

package upstream

import (
	"net/http"

	"errno_exporter/prober/result"
)

// OfConnect is what a proxy's answer to CONNECT states. It is the proxy's own: 502, 503 and 504 mean that it got no
// connection to the target (RFC 9110 section 15.6).
func OfConnect(a Answer) *result.Upstream {
	u := Of(a)
	if u == nil && a.Status == http.StatusServiceUnavailable {
		u = &result.Upstream{Reason: result.UpstreamUnknown, By: result.ByUnknown}
	}
	if u == nil && a.Status == http.StatusForbidden {
		u = &result.Upstream{Reason: result.HTTPRequestDenied, By: result.ByUnknown}
	}
	if u != nil && u.By == result.ByUnknown {
		u.By = result.ByProxy
	}
	return u
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

package cause

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"errno_exporter/prober/result"
)

// Said is what an answer states besides its status. Each text is evidence in a sentence; empty for nothing.
type Said struct {
	Limit       string        // a limit of our rate is reached
	RetryAfter  time.Duration // how long to wait
	Proxy       string        // the answer is the forward proxy's own
	Denied      bool          // and it refuses by a rule
	Gateway     string        // the answer is a gateway's own, and its upstream failed
	NoName      bool          // the upstream's name was not resolved
	Maintenance string        // it is in maintenance
	Origin      bool          // the answer names a server that is no proxy
	Internal    bool          // the peer's own words are an internal error
}

// maxQuoted bounds what is quoted, in bytes.
const maxQuoted = 60

// said reads the response of a failed probe's last hop.
func said(h *result.Hop) Said {
	var s Said
	if r := h.Response; r != nil {
		s.limit(r)
		s.proxy(r.Header, relayed(h))
		s.gateway(r)
		s.maintenance(r)
	}
	return s
}

// withError adds what the words of a failure's error say: of a proxy that gave no tunnel, of a stream that was reset.
func (s Said) withError(f *result.Failure) Said {
	if f.Err == nil {
		return s
	}
	text := f.Err.Error()
	switch {
	case f.Reason == result.ProxyFailed:
		s.Proxy = quoted("the proxy gave no tunnel", text)
		for _, mark := range []string{"ERR_DNS_FAIL", "dns_error", "dns_timeout"} {
			s.NoName = s.NoName || strings.Contains(text, mark)
		}
		for _, mark := range proxyUpstreamWords {
			if strings.Contains(text, mark) {
				s.Gateway = quoted("the proxy says that it does not reach the target", text)
			}
		}
	case strings.Contains(text, "INTERNAL_ERROR"): // also H3_INTERNAL_ERROR
		s.Internal = true
	}
	return s
}

// proxyUpstreamWords are what a proxy answers when its upstream failed: to CONNECT 502, 503 and 504 (RFC 9110 section
// 15.6), in SOCKS replies 3 to 6 (RFC 1928 section 6).
var proxyUpstreamWords = []string{`"502`, `"503`, `"504`, "unreachable", "refused", "TTL expired", "ERR_DNS_FAIL",
	"ERR_CONNECT_FAIL", "dns_error", "connection_", "destination_"}

func quoted(sentence, text string) string {
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return sentence + ": " + text
}

func (s *Said) limit(r *result.Response) {
	if after := r.Header.Get("Retry-After"); after != "" {
		if seconds, err := strconv.Atoi(after); err == nil {
			s.RetryAfter = time.Duration(min(seconds, 1<<30)) * time.Second
		} else if date, err := http.ParseTime(after); err == nil {
			if now, err := http.ParseTime(r.Header.Get("Date")); err == nil {
				s.RetryAfter = date.Sub(now)
			}
		}
	}
	for _, name := range []string{"X-Ratelimit-Remaining", "X-Rate-Limit-Remaining", "Ratelimit-Remaining"} {
		if r.Header.Get(name) == "0" {
			s.Limit = "the answer has " + name + ": 0"
		}
	}
	// draft-ietf-httpapi-ratelimit-headers: RateLimit: "default";r=0;t=30, and earlier limit=100, remaining=0
	for part := range strings.FieldsFuncSeq(r.Header.Get("Ratelimit"),
		func(c rune) bool { return c == ';' || c == ',' || c == ' ' }) {
		if part == "r=0" || part == "remaining=0" {
			s.Limit = "the answer has RateLimit with nothing remaining"
		}
	}
	if r.Status == http.StatusTooManyRequests {
		s.Limit = "the answer is 429 (Too Many Requests)"
	}
}

// forwardProxies are what proxies call themselves in Server.
var forwardProxies = []string{"squid", "tinyproxy", "privoxy", "zscaler", "bluecoat", "mcafee web gateway"}

func (s *Said) proxy(h http.Header, through bool) {
	server := strings.ToLower(h.Get("Server"))
	byName := false
	for _, name := range forwardProxies {
		byName = byName || strings.Contains(server, name)
	}
	switch squid := h.Get("X-Squid-Error"); {
	case !through:
	case squid != "":
		s.Proxy = quoted("the answer is the proxy's own, X-Squid-Error", squid)
		s.Denied = strings.HasPrefix(squid, "ERR_ACCESS_DENIED") || strings.HasPrefix(squid, "ERR_CACHE_ACCESS_DENIED")
		s.NoName = strings.HasPrefix(squid, "ERR_DNS_FAIL")
	case byName:
		s.Proxy = quoted("the answer is the proxy's own, Server", h.Get("Server"))
	default:
		s.Origin = server != ""
	}
}

// gatewayHeaders are fields in which gateways say that it is their upstream that failed.
var gatewayHeaders = []struct{ header, mark, says string }{
	{"Proxy-Status", "error=", "Proxy-Status names an error of the gateway (RFC 9209)"},
	{"Server", "varnish", "the answer is Varnish's own: its backend failed"},
}

// gatewayPages are what they write at the beginning of the body.
var gatewayPages = []struct {
	mark result.Marks
	says string
}{
	{result.EnvoyConnect, "the answer is Envoy's own: upstream connect error"},
	{result.EnvoyNoHealthy, "the answer is Envoy's own: no healthy upstream"},
	{result.VarnishBackend, "the answer is Varnish's own: backend fetch failed"},
	{result.HAProxyNoServer, "the answer is HAProxy's own: no server is available"},
}

func (s *Said) gateway(r *result.Response) {
	if r.Status < 500 {
		return
	}
	for _, m := range gatewayHeaders {
		if strings.Contains(strings.ToLower(r.Header.Get(m.header)), m.mark) {
			s.Gateway = m.says
		}
	}
	for _, m := range gatewayPages {
		if r.Marks&m.mark != 0 {
			s.Gateway = m.says
		}
	}
	switch {
	case s.Gateway != "":
	case r.Status == http.StatusServiceUnavailable && r.Header.Get("Server") == "envoy" &&
		r.Header.Get("X-Envoy-Upstream-Service-Time") == "":
		s.Gateway = "the answer is Envoy's own, no upstream answered: it has no X-Envoy-Upstream-Service-Time"
	case haproxyDefault(r):
		s.Gateway = "the answer is HAProxy's default page for 503: no server is available"
	case r.Status == http.StatusBadGateway || r.Status == http.StatusGatewayTimeout:
		s.Gateway = "the status " + strconv.Itoa(r.Status) +
			" is a gateway's: its upstream gave no valid answer in time (RFC 9110 section 15.6)"
	case s.Proxy != "" && !s.Denied:
		s.Gateway = "the proxy answers " + strconv.Itoa(r.Status) + " itself: it does not get an answer from the target"
	}
}

// haproxyDefault reports whether a response is the page that HAProxy has built in for 503, which it sends when no
// server is available: of 107 bytes, with Cache-Control, and with neither Server nor Date, which a server behind it
// would have.
func haproxyDefault(r *result.Response) bool {
	h := r.Header
	return r.Status == http.StatusServiceUnavailable && r.ContentLength == 107 &&
		h.Get("Cache-Control") == "no-cache" && h.Get("Server") == "" && h.Get("Date") == ""
}

func (s *Said) maintenance(r *result.Response) {
	if r.Status < 500 {
		return
	}
	for name, values := range r.Header {
		if strings.Contains(strings.ToLower(name), "maintenance") && len(values) > 0 {
			s.Maintenance = "the answer has the header " + name
		}
	}
	if r.Marks&result.MaintenanceWords != 0 || strings.Contains(strings.ToLower(r.StatusText), "maintenance") {
		s.Maintenance = `the answer says "maintenance"`
	}
}

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
	Itself      string        // the answer is a gateway's own, and the gateway itself failed
	Refused     string        // the answer is a gateway's own, and a rule of the gateway refuses the request
	NoName      bool          // the upstream's name was not resolved
	Maintenance string        // it is in maintenance
	Origin      bool          // the answer names a server that is no proxy
	Internal    bool          // the peer's own words are an internal error
	StreamOnly  bool          // ENHANCE_YOUR_CALM resets the stream alone
	Short       bool          // the body has come to its end too early
	WantsHTTP1  bool          // or that it wants HTTP/1.1 for this
	WantsTLS    bool          // it answered without encryption, by a TLS alert
	Renegotiate bool          // it wants to negotiate TLS again in the middle of a connection
}

// maxQuoted bounds what is quoted, in bytes.
const maxQuoted = 60

// said reads the response of a failed probe's last hop.
func said(h *result.Hop) Said {
	var s Said
	if r := h.Response; r != nil {
		s.limit(r)
		s.proxy(r.Header, h.Upstream, relayed(h))
		s.gateway(r, h.Upstream)
		s.maintenance(r, h.Upstream)
	}
	return s
}

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
		s.Limit = "429 is Too Many Requests, a rate limit (RFC 6585 section 4)"
	}
}

// forwardProxies are what proxies call themselves in Server.
var forwardProxies = []string{"squid", "tinyproxy", "privoxy", "zscaler", "bluecoat", "mcafee web gateway"}

func (s *Said) proxy(h http.Header, u *result.Upstream, through bool) {
	server := strings.ToLower(h.Get("Server"))
	byName := false
	for _, name := range forwardProxies {
		byName = byName || strings.Contains(server, name)
	}
	switch {
	case !through:
	case u != nil && u.By == result.BySquid:
		s.Proxy = quoted("the answer is the proxy's own, X-Squid-Error", h.Get("X-Squid-Error"))
		s.Denied, s.NoName = u.Reason.Stage() == result.RequestDenied, u.Reason.OfName()
	case u != nil && (u.By == result.ByPrivoxy || u.By == result.ByTinyproxy):
		s.Proxy = "the answer is the proxy's own, " + u.By.Name() + "'s: " + string(u.Reason)
		s.Denied, s.NoName = u.Reason.Stage() == result.RequestDenied, u.Reason.OfName()
	case byName:
		s.Proxy = quoted("the answer is the proxy's own, Server", h.Get("Server"))
	default:
		s.Origin = server != ""
	}
}

// maintenance reads that the answer announces maintenance. A page that a gateway shows for a failed connection may say
// so as well.
func (s *Said) maintenance(r *result.Response, u *result.Upstream) {
	if r.Status < 500 || u != nil && namesFailure(u.Reason) {
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

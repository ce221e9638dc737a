package cause

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// What a gateway states about its upstream is read in prober/upstream; here it becomes evidence.

// gateway adds what an answer of a gateway's own states.
func (s *Said) gateway(r *result.Response, u *result.Upstream) {
	switch {
	case u != nil && u.Reason.Stage() == result.RequestDenied:
		s.Refused = "the answer is " + u.By.Name() + "'s own: " + string(u.Reason)
	case r.Status < http.StatusInternalServerError:
	case u != nil && u.By == result.ByUnknown:
		s.Gateway = "the status " + strconv.Itoa(r.Status) +
			" is a gateway's: its upstream gave no valid answer in time (RFC 9110 section 15.6)"
	case u != nil:
		s.own(u, "the answer is "+u.By.Name()+"'s own")
	case s.Proxy != "" && !s.Denied:
		s.Gateway = "the proxy answers " + strconv.Itoa(r.Status) + " itself: it does not get an answer from the target"
	}
}

// own adds what a gateway's own answer states, after a beginning that names the gateway.
func (s *Said) own(u *result.Upstream, begins string) {
	says := begins + ": " + string(u.Reason)
	if u.Reason == result.UpstreamUnknown {
		says = begins + ": its upstream failed"
	}
	switch u.Reason.Stage() {
	case result.BehindGateway:
		s.Gateway = says
	case result.AtGateway:
		s.Itself = says
	default:
		s.Refused = says
	}
}

// namesFailure reports whether a reason names what failed behind the gateway. A backend that is unavailable may be in
// maintenance.
func namesFailure(r result.UpstreamReason) bool {
	return r.Stage() == result.BehindGateway && r != result.UpstreamUnknown && r != result.DestinationUnavailable
}

// withFailure adds what a failure shows: a proxy's answer that is no tunnel, with what it states about its upstream,
// and the code of a stream that was reset.
func (s Said) withFailure(f *result.Failure, u *result.Upstream) Said {
	if f.Err == nil {
		return s
	}
	text := f.Err.Error()
	switch {
	case f.Reason == result.ProxyFailed:
		s.Proxy = quoted("the proxy gave no tunnel", text)
		if u != nil {
			s.own(u, "the answer to CONNECT is "+u.By.Name()+"'s own")
			s.NoName = u.Reason.OfName()
		}
	case f.Reason == result.H2Throttled:
		s.StreamOnly = strings.Contains(text, "stream error: ")
	case f.Reason == result.HTTPResponseInvalid:
		s.Short = strings.Contains(text, io.ErrUnexpectedEOF.Error())
	case strings.Contains(text, "INTERNAL_ERROR"): // also H3_INTERNAL_ERROR
		s.Internal = true
	case strings.Contains(text, "HTTP_1_1_REQUIRED"):
		s.WantsHTTP1 = true
	case strings.Contains(text, classify.ErrNotEncrypted.Error()): // records keep the text alone
		s.WantsTLS = true
	case strings.Contains(text, "tls: no renegotiation"):
		s.Renegotiate = true
	}
	return s
}

package prober

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"

	"errno_exporter/config"
)

// maxRedirects is how many redirects are followed, as in blackbox_exporter and net/http.
const maxRedirects = 10

// firstRequest is the request to the target, without the module's credentials.
func (a *attempt) firstRequest() *http.Request {
	request := a.newRequest(a.module.Method, a.firstURL(), a.module.Header.Clone(), a.module.Body)
	request.Host = a.hostOverride()
	return request
}

// firstURL is the target's URL. HTTP/3 is always encrypted: an http:// target is taken for https://.
func (a *attempt) firstURL() *url.URL {
	u := a.target.URL
	if !a.module.EnableHTTP3 || u.Scheme != "http" {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}

// hostOverride is the Host header asked for, by the probe or by the module; empty for the URL's own.
func (a *attempt) hostOverride() string {
	if a.target.Host != "" {
		return a.target.Host
	}
	return a.module.Host
}

// newRequest builds a request by the rules of net/http's own client. Its context bounds what is done to make it; the exchange is
// bounded by the socket.
func (a *attempt) newRequest(method string, u *url.URL, header http.Header, body []byte) *http.Request {
	request := (&http.Request{
		Method: method, URL: u, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Close: !a.keep, // one connection, one exchange: the server may let go of it
	}).WithContext(a.ctx)
	if len(body) > 0 {
		request.Body = newBody(body)
		request.ContentLength = int64(len(body))
	}
	if _, ok := header["User-Agent"]; !ok && a.prober.options.UserAgent != "" {
		header["User-Agent"] = []string{a.prober.options.UserAgent}
	}
	a.prober.sign(a.ctx, header)
	if a.traceID != "" {
		header["Traceparent"] = []string{traceparent(a.traceID)}
	}
	return request
}

// newBody is a request's body; it can be read once.
func newBody(body []byte) *requestBody { return &requestBody{bytes.NewReader(body)} }

type requestBody struct{ *bytes.Reader }

func (*requestBody) Close() error { return nil }

// authorize adds the URL's credentials to the request, and the module's unless a redirect has led to another host. An OAuth2 token
// may have to be fetched first, within our deadline. What goes wrong is a request that could not be made.
func (h *hop) authorize() error {
	if user := h.request.URL.User; user != nil && h.request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		h.request.SetBasicAuth(user.Username(), password)
	}
	if h.attempt.left {
		return nil
	}
	began := h.attempt.elapsed()
	authorized, err := h.attempt.module.Authorize(h.request)
	if err != nil {
		h.fail(Request, began, classify(&Evidence{Step: StepAuthorize, Err: err, Ended: h.attempt.ending(err)}))
		return err
	}
	h.request = authorized
	return nil
}

// classifyAuthorize names a request that could not be made: a secret that cannot be read, or a token endpoint that gave no token.
func classifyAuthorize(e *Evidence) Failure {
	err, ended := e.Err, e.Ended
	token, ok := errors.AsType[*config.TokenError](err)
	errno, _ := errnoOf(err)
	f := Failure{Reason: AuthTokenFailed, Errno: errno, Origin: Peer, Err: err}
	switch {
	case !ok:
		f.Reason, f.Origin = ProbeConfig, Self
	case ended == Cancelled:
		f.Reason, f.Origin = Abandoned, Self
	case token.Status >= 400 && token.Status < 500:
		f.Reason = AuthTokenDenied
	case errno == 0 && ended == Deadline:
		f.Reason, f.Origin = AuthTokenTimedOut, Self
	}
	return f
}

// follows reports whether the hop's response is a redirect that the module wants followed.
func (a *attempt) follows(h *hop) bool {
	return a.module.FollowRedirects && isRedirect(h.Response)
}

// isRedirect reports whether a response sends us elsewhere (RFC 9110 section 15.4).
func isRedirect(r *Response) bool {
	switch r.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return r.Header.Get("Location") != ""
	}
	return false
}

var errRedirectLoop = errors.New("stopped after " + strconv.Itoa(maxRedirects) + " redirects")

// nextRequest is the request that a redirect asks for.
func (a *attempt) nextRequest(h *hop) (*http.Request, error) {
	if len(a.record.Hops) > maxRedirects {
		return nil, errRedirectLoop
	}
	from := h.request
	location := h.Response.Header.Get("Location")
	to, err := from.URL.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("location %q is not a URL", a.module.MaskLink(location))
	}
	if err := config.CheckURL(to); err != nil {
		return nil, fmt.Errorf("location %q: %w", a.module.MaskLink(location), err)
	}
	if a.module.EnableHTTP3 && to.Scheme != "https" {
		return nil, fmt.Errorf("location %q cannot be asked over HTTP/3, which is always encrypted", a.module.MaskLink(location))
	}
	method, body := from.Method, a.module.Body
	if !keepsMethod(h.Response.Status, method) {
		method, body = redirectMethod(method), nil
	}
	request := a.newRequest(method, to, a.redirectHeader(from.URL, to, body != nil), body)
	if to.Host == "" || strings.EqualFold(to.Host, a.target.URL.Host) {
		request.Host = a.hostOverride()
	}
	request.Response = h.response
	a.carryCookies(h, request)
	return request, nil
}

// keepsMethod: 307 and 308 repeat the request as it was, the others only what is safe anyway (RFC 9110 section 15.4).
func keepsMethod(status int, method string) bool {
	return status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect ||
		method == http.MethodGet || method == http.MethodHead
}

func redirectMethod(method string) string {
	if method == http.MethodHead {
		return http.MethodHead
	}
	return http.MethodGet
}

// redirectHeader is the module's headers for a redirect: without credentials if it leaves the target's host for good, without
// the body's description if the body stays behind, with the Referer that net/http's client sends.
func (a *attempt) redirectHeader(from, to *url.URL, withBody bool) http.Header {
	header := a.module.Header.Clone()
	a.left = a.left || !withinHost(to.Hostname(), a.target.URL.Hostname())
	if a.left {
		for _, name := range []string{"Authorization", "Www-Authenticate", "Cookie", "Cookie2", "Proxy-Authorization"} {
			header.Del(name)
		}
	}
	if !withBody {
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"} {
			header.Del(name)
		}
	}
	if header.Get("Referer") == "" && !(from.Scheme == "https" && to.Scheme == "http") {
		header.Set("Referer", publicURL(from))
	}
	return header
}

// withinHost reports whether a host is another or a subdomain of it.
func withinHost(host, of string) bool {
	host, of = strings.ToLower(host), strings.ToLower(of)
	if host == of {
		return true
	}
	if _, isAddr := literal(host); isAddr {
		return false
	}
	return strings.HasSuffix(host, "."+of)
}

// carryCookies takes the cookies that a response set to the next request, as a browser does.
func (a *attempt) carryCookies(h *hop, next *http.Request) {
	if a.cookies == nil {
		if len(h.Response.Header["Set-Cookie"]) == 0 {
			return
		}
		a.cookies, _ = cookiejar.New(nil) // fails never: there are no options to be wrong
	}
	a.cookies.SetCookies(h.request.URL, h.response.Cookies())
	for _, cookie := range a.cookies.Cookies(next.URL) {
		next.AddCookie(cookie)
	}
}

// redirectFailure names a redirect that we refuse.
func redirectFailure(err error) Failure {
	f := Failure{Reason: HTTPRedirectInvalid, Origin: Self, Check: CheckRedirect, Err: err}
	if errors.Is(err, errRedirectLoop) {
		f.Reason = HTTPRedirectLoop
	}
	return f
}

// hostPort is the ASCII host and the port that a URL leads to.
func hostPort(u *url.URL) (string, uint16, error) {
	host, err := config.ResolvableHost(u.Hostname())
	if err != nil {
		return "", 0, err
	}
	port := uint16(80)
	if u.Scheme == "https" {
		port = 443
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return "", 0, fmt.Errorf("port %q is out of range, want 1 to 65535", text)
		}
		port = uint16(n)
	}
	return host, port, nil
}

// withoutPort is the host of a Host header.
func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

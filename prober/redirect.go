package prober

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How redirects are followed: by net/http's client, over a RoundTripper that makes one hop for each request. Which
// request follows from which response, what becomes of the method and the body, and which headers are copied is
// net/http's. Ours is what comes on top: hops that are recorded and can fail, the rules of credentials.go, and errors
// that repeat no secret.
//
// The client comes in with the first redirect, so that a probe that is not redirected does not pay for it. It is handed
// the response that is here already.

// maxRedirects is how many redirects are followed, as in blackbox_exporter and net/http.
const maxRedirects = 10

var (
	errRedirectLoop = errors.New("stopped after " + strconv.Itoa(maxRedirects) + " redirects")
	errHopFailed    = errors.New("prober: the hop's failure is recorded")
)

// follows reports whether the hop's response is a redirect that the module wants followed.
func (a *attempt) follows(h *hop) bool {
	return a.module.FollowRedirects && isRedirect(h.Response)
}

// isRedirect reports whether a response sends us elsewhere (RFC 9110 section 15.4).
func isRedirect(r *result.Response) bool {
	switch r.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return r.Header.Get("Location") != ""
	}
	return false
}

// redirects is a chain of hops as a RoundTripper.
type redirects struct {
	attempt *attempt
	body    []byte // of the last response, as far as the module's checks need it
	begun   bool   // the first response has been handed over
}

// follow follows the redirect that the attempt's first hop was answered with to the end of the chain. It returns the
// last response's body.
func (a *attempt) follow() []byte {
	chain := &redirects{attempt: a}
	client := &http.Client{Transport: chain, CheckRedirect: chain.check, Jar: newCookies()}
	response, err := client.Do(a.hop.bare)
	if response != nil {
		_ = response.Body.Close() // http.NoBody
	}
	if err != nil && a.hop.failure == nil {
		a.hop.refuseRedirect(errors.New("net/http does not follow this redirect"))
	}
	return chain.body
}

// RoundTrip makes one hop. Its failure is recorded; to net/http's client it is an error that ends the chain.
func (r *redirects) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.begun {
		r.body = r.attempt.newHop(request).run()
	}
	r.begun = true
	h := r.attempt.hop
	if h.failure != nil {
		return nil, errHopFailed
	}
	location := h.Response.Header.Get("Location")
	if _, err := h.bare.URL.Parse(location); err != nil && r.attempt.follows(h) { // net/http's error would repeat it
		h.refuseRedirect(fmt.Errorf("location %q is not a URL", r.attempt.module.MaskLink(location)))
		return nil, errHopFailed
	}
	response := *h.response
	response.Body = http.NoBody // it has been read
	return &response, nil
}

// check is the client's CheckRedirect: it refuses what cannot be probed, and makes the next request one of ours.
func (r *redirects) check(next *http.Request, via []*http.Request) error {
	a := r.attempt
	location := a.module.MaskLink(next.Response.Header.Get("Location"))
	err := module.CheckURL(next.URL)
	switch {
	case len(via) > maxRedirects:
		err = errRedirectLoop
	case err != nil:
		err = fmt.Errorf("location %q: %w", location, err)
	case a.module.EnableHTTP3 && next.URL.Scheme != "https":
		err = fmt.Errorf("location %q cannot be asked over HTTP/3, which is always encrypted", location)
	case next.Body != nil && a.hop.bare.URL.Scheme == "https" && next.URL.Scheme == "http":
		err = fmt.Errorf("location %q wants the body again, which was meant for https, without encryption", location)
	}
	if err != nil {
		a.hop.refuseRedirect(err)
		return errHopFailed
	}
	a.withhold(next, via[len(via)-1].URL)
	room := result.MaxHead
	a.hop.Response.Cut(&room)
	a.hop.forget()
	a.leaveHead()
	next.Close, next.Host = a.closes(next.Header), ""
	next.Response = a.hop.response // the client does not need the head any more
	if strings.EqualFold(next.URL.Host, a.target.URL.Host) {
		next.Host = a.hostOverride()
	}
	return nil
}

// refuseRedirect fails the hop whose response is a redirect that we do not follow.
func (h *hop) refuseRedirect(err error) {
	f := result.Failure{Reason: result.HTTPRedirectInvalid, Origin: result.Self, Check: result.CheckRedirect, Err: err}
	if errors.Is(err, errRedirectLoop) {
		f.Reason = result.HTTPRedirectLoop
	}
	h.fail(result.Validate, h.attempt.elapsed(), f)
}

// What the cookies of one attempt may come to, so that servers cannot make our requests grow from redirect to redirect.
// RFC 6265 section 6.1 asks of clients to keep at least 50 cookies of a domain, of at least 4096 bytes each.
const (
	maxCookies     = 50
	maxCookie      = 4 << 10  // bytes of one cookie's name, value, domain and path
	maxCookieBytes = 32 << 10 // of all
)

// cookies are those that servers set during one attempt, in net/http's jar, which holds them by the rules of RFC 6265:
// domain, path, Secure, and no cookie for a public suffix such as co.uk. There are two rules more: the bounds, and that
// what was set over https is not sent over http, as though every server had said Secure.
type cookies struct {
	jar   *cookiejar.Jar
	bytes map[cookieKey]int // of each cookie in the jar
	total int
}

// cookieKey identifies a cookie.
type cookieKey struct{ host, domain, path, name string }

func newCookies() *cookies {
	// never fails: the error is for the future
	jar, _ := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	return &cookies{jar: jar, bytes: map[cookieKey]int{}}
}

// Cookies returns the cookies for a URL.
func (c *cookies) Cookies(u *url.URL) []*http.Cookie { return c.jar.Cookies(u) }

// SetCookies keeps the cookies of a response to a request for u, as far as the bounds allow.
func (c *cookies) SetCookies(u *url.URL, set []*http.Cookie) {
	kept := make([]*http.Cookie, 0, min(len(set), maxCookies))
	for _, cookie := range set {
		if !c.admits(u, cookie) {
			continue
		}
		if u.Scheme == "https" {
			cookie.Secure = true
		}
		kept = append(kept, cookie)
	}
	c.jar.SetCookies(u, kept)
}

// admits reports whether there is room for a cookie, and takes it. Room is never given back: an attempt has ten
// redirects.
func (c *cookies) admits(u *url.URL, cookie *http.Cookie) bool {
	key := cookieKey{u.Host, cookie.Domain, cookie.Path, cookie.Name}
	if cookie.Path == "" {
		key.path = u.Path // from which the jar takes the directory
	}
	size := len(cookie.Name) + len(cookie.Value) + len(cookie.Domain) + len(key.path)
	before, known := c.bytes[key]
	grows := max(0, size-before)
	if size > maxCookie || c.total+grows > maxCookieBytes || !known && len(c.bytes) >= maxCookies {
		return false
	}
	c.bytes[key], c.total = before+grows, c.total+grows
	return true
}

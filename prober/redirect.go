package prober

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

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
	next.Close, next.Response, next.Host = !a.staysOpen, a.hop.response, "" // the client does not need the head any more
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

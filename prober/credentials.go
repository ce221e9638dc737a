package prober

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Which request carries which credentials.
//
//   - The credentials of a module are basic_auth, authorization, oauth2, http_headers, the userinfo of the target's
//     URL, and under headers each header that is not in the list public: a name does not show whether a value is a
//     secret. They belong to the target's origin.
//   - The first redirect that leads elsewhere ends this for the rest of the attempt, even if a later one leads back:
//     an outside server has chosen the URL then. This also holds for the second request on a connection that is kept.
//   - The userinfo of a Location is not sent: a server does not choose with which password we log in elsewhere.
//   - Cookies that servers set follow the rules of cookies (redirect.go). What a browser's default policy allows is the
//     Referer: between origins it is the origin alone, and nothing from https to http (W3C Referrer Policy,
//     strict-origin-when-cross-origin).
//   - A proxy's password goes to the proxy: on CONNECT, or on each request that is forwarded.
//   - Every request is built by newRequest or by net/http's client from one that was, and every hop begins with
//     authorize. TestRequestsAreBuiltInOnePlace lists all calls that build, change or send one.

// public are the headers that a redirect to another origin may carry: what RFC 9110 sections 8, 10.1 and 12 to 14
// define for everybody, and the trace context. All others stay behind.
var public = map[string]bool{
	"Accept": true, "Accept-Charset": true, "Accept-Encoding": true, "Accept-Language": true,
	"Cache-Control": true, "Pragma": true, "Range": true, "Te": true, "Expect": true, "User-Agent": true,
	"Content-Type": true, "Content-Encoding": true, "Content-Language": true,
	"Dnt": true, "Upgrade-Insecure-Requests": true, "Traceparent": true, ProbeHeader: true,
}

// entitled decides whether a request to u may carry the module's credentials.
func (a *attempt) entitled(u *url.URL) bool {
	a.left = a.left || !module.MaySend(a.firstURL(), u)
	return !a.left
}

// withhold takes everything from a redirected request that it is not entitled to. net/http's client has copied the
// first request's headers to it by its own, wider rules.
func (a *attempt) withhold(next *http.Request, from *url.URL) {
	next.URL.User = nil // authorize adds the target's
	explicit := a.module.Header.Get("Referer") != ""
	if !a.entitled(next.URL) {
		for name := range next.Header {
			if !public[name] && (name != "Referer" || explicit) {
				delete(next.Header, name)
			}
		}
	} else if explicit {
		return
	}
	if next.Header.Get("Referer") != "" {
		next.Header.Set("Referer", referer(from, next.URL))
	}
}

// referer is what a request says of the URL that led to it.
func referer(from, to *url.URL) string {
	if !module.MaySend(from, to) {
		return module.OriginOf(from).String() + "/"
	}
	bare := *from
	bare.User, bare.Fragment, bare.RawFragment = nil, "", ""
	return bare.String()
}

// withholdCertificate takes the client certificate from a configuration for another host than the target's. Ports do
// not count here, nor does the step from http to https: the server has proven the name before it sees the certificate.
func withholdCertificate(c *tls.Config) {
	c.Certificates, c.GetClientCertificate = nil, nil
}

// authorize makes the hop's request from the one without credentials: with all that it is entitled to. An OAuth2 token
// may have to be fetched first, within our deadline. What fails is a request that could not be made.
func (h *hop) authorize() error {
	began := h.attempt.elapsed()
	if err := h.addCredentials(); err != nil {
		return err
	}
	size := requestHeadSize(h.request)
	if size <= maxRequestHead {
		return nil
	}
	err := fmt.Errorf("the request's head has %d bytes with its URL, headers, cookies and credentials, want at most %d",
		size, maxRequestHead)
	if len(h.attempt.record.Hops) > 1 {
		h.refuseRedirect(err)
	} else {
		h.fail(result.Request, began, result.Failure{Reason: result.ProbeConfig, Origin: result.Self, Err: err})
	}
	return err
}

// maxRequestHead bounds a request's head in bytes, whatever the module, secrets in files, cookies and redirects make of
// it. Servers refuse heads that are much smaller.
const maxRequestHead = 64 << 10

// requestHeadSize is the size of a request's head in HTTP/1.1.
func requestHeadSize(r *http.Request) int {
	bytes, fields := result.HeadBytes(r.Header)
	return len(r.Method) + len(r.URL.RequestURI()) + len(hostOf(r)) + bytes + 4*fields
}

// addCredentials adds the module's credentials, and those of the URL, where they may be sent.
func (h *hop) addCredentials() error {
	if !h.attempt.entitled(h.bare.URL) {
		return nil
	}
	if user := h.attempt.target.URL.User; user != nil && h.request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		h.request = h.request.Clone(h.request.Context())
		h.request.SetBasicAuth(user.Username(), password)
	}
	began := h.attempt.elapsed()
	authorized, err := h.attempt.module.Authorize(h.request.WithContext(guard.With(h.request.Context(),
		h.attempt.caught)))
	if err != nil {
		h.fail(result.Request, began, classify.Failure(authorizeEvidence(err, h.attempt.ending(err))))
		return err
	}
	h.request = authorized
	return nil
}

// repeat is the hop's request once more, as it was before authorize: what redirects made of its method, headers,
// cookies and body.
func (h *hop) repeat(ctx context.Context) *http.Request {
	request := h.bare.Clone(ctx)
	h.attempt.prober.sign(ctx, request.Header) // on whose behalf it is made now
	if request.GetBody != nil {
		request.Body, _ = request.GetBody() // ours, or a copy by net/http: it never fails
	}
	return request
}

// authorizeForward adds the proxy's credentials to a request that is sent to the proxy itself.
func (h *hop) authorizeForward() {
	if auth := proxyAuth(h.forward.User); auth != "" {
		h.request = h.request.Clone(h.request.Context())
		h.request.Header.Set("Proxy-Authorization", auth)
	}
}

// connectHeader are the headers of a CONNECT to a proxy: the proxy's own, nothing of the target's.
func (h *hop) connectHeader(proxy *url.URL) http.Header {
	header := h.attempt.module.ProxyConnectHeader.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if auth := proxyAuth(proxy.User); auth != "" {
		header.Set("Proxy-Authorization", auth)
	}
	if agent := h.attempt.prober.options.UserAgent; agent != "" && header.Get("User-Agent") == "" {
		header.Set("User-Agent", agent)
	}
	return header
}

// proxyAuth is the Proxy-Authorization for a proxy URL's userinfo (RFC 7617); empty for none.
func proxyAuth(user *url.Userinfo) string {
	if user == nil {
		return ""
	}
	password, _ := user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
}

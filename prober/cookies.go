package prober

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"

	"golang.org/x/net/publicsuffix"
)

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

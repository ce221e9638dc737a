package prober

import (
	"net/http"
	"net/url"
	"slices"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How secrets stay out of results. A server may return what it was sent in any place: a header, the status line, the
// body, an error of its own, a certificate that it makes for the next connection. So the secrets of the module and of
// the requests are replaced by their values, in everything that an attempt keeps, before anybody sees it.

// seal ends an attempt: what is kept of it has no secret, and is bounded. Everything that leaves the package has been
// sealed, which TestEveryAttemptIsSealed shows.
func (a *attempt) seal() {
	a.mask = a.module.Secrets().With(a.secrets()...)
	sealed(&a.record, a.mask)
	a.leave()
}

// sealed masks secrets in a record and bounds it.
func sealed(record *result.Attempt, mask *module.Mask) {
	if mask != nil {
		for i := range record.Hops {
			hideHop(&record.Hops[i], mask)
		}
		hideFailure(record.Failure, mask)
	}
	record.Cut()
}

// secrets are those of an attempt that the module does not know: the target's, its proxies', those of its requests,
// those of the URLs that redirects led to, and the cookies that a server gave to somebody with credentials.
func (a *attempt) secrets() []string {
	all := append(a.module.SecretsOf(a.target.URL, nil), a.proxies...)
	for i := range a.record.Hops {
		if r := a.record.Hops[i].Request; r != nil {
			all = append(all, a.module.SecretsOf(a.target.URL, r.Header)...)
		}
	}
	return append(all, a.given(all)...)
}

// proxied notes the secrets of a proxy that is used: one of the environment is not in the configuration. A CONNECT is
// in no record.
func (a *attempt) proxied(proxy *url.URL) {
	if proxy == nil || proxy.User == nil {
		return
	}
	a.proxies = append(a.proxies, proxyAuth(proxy.User))
	a.proxies = append(a.proxies, module.SecretsOfURL(proxy, nil)...)
}

// What of a server's secrets is masked by its value. Many short cookies are words. The server chooses how many there
// are, and as many can come back in a request.
const (
	minGiven      = 8              // bytes of one
	maxGiven      = maxCookies     // in number
	maxGivenBytes = maxCookieBytes // of all
)

// given are the secrets in an attempt's responses: parameters of redirects, and cookies where the attempt sent
// credentials, of which sent are those that the module does not know.
func (a *attempt) given(sent []string) []string {
	var all []string
	cookies := len(sent) > 0 || a.module.Mask != nil || len(a.module.Body) > 0
	left := maxGivenBytes
	add := func(secret string) {
		if len(secret) >= minGiven && len(secret) <= left && len(all) < maxGiven && !slices.Contains(all, secret) {
			all = append(all, secret)
			left -= len(secret)
		}
	}
	for i := len(a.record.Hops) - 1; i >= 0; i-- { // the last response is the one that is shown most
		r := a.record.Hops[i].Response
		if r == nil {
			continue
		}
		if link := r.Header.Get("Location"); len(link) <= result.MaxShownURL {
			if to, err := url.Parse(link); err == nil {
				for _, secret := range module.SecretsOfURL(to, a.module.SecretParams) {
					add(secret)
				}
			}
		}
		if !cookies {
			continue
		}
		for _, line := range r.Header["Set-Cookie"] {
			if cookie, err := http.ParseSetCookie(line); err == nil {
				add(cookie.Value)
			}
		}
	}
	return all
}

// hideHop masks what a hop keeps.
func hideHop(h *result.Hop, mask *module.Mask) {
	h.URL, h.Proxy = mask.Text(h.URL), mask.Text(h.Proxy)
	hideLookup(h.Lookup, mask)
	if h.Request != nil {
		h.Request.URL, h.Request.Host = mask.Text(h.Request.URL), mask.Text(h.Request.Host)
		h.Request.Header = hidden(h.Request.Header, mask)
	}
	if r := h.Response; r != nil {
		r.Proto, r.StatusText, r.Header = mask.Text(r.Proto), mask.Text(r.StatusText), hidden(r.Header, mask)
		if r.Body != nil {
			r.Body = []byte(mask.Beginning(string(r.Body)))
		}
	}
	if h.TLS != nil {
		hideTLS(h.TLS, mask)
	}
	if h.Wire != nil {
		hideWire(h.Wire, mask)
	}
	if h.Compared != nil {
		hideLookup(h.Compared.Lookup, mask)
		hideFailure(h.Compared.Failure, mask)
	}
}

// hideLookup masks the name that was resolved, which a redirect may have chosen, and what servers said.
func hideLookup(l *result.Lookup, mask *module.Mask) {
	if l == nil {
		return
	}
	l.Host = mask.Text(l.Host)
	for i := range l.Exchanges {
		e := &l.Exchanges[i]
		e.Question, e.Err = mask.Text(e.Question), hiddenErr(e.Err, mask)
		for j := range e.Extended {
			e.Extended[j].Text = mask.Text(e.Extended[j].Text)
		}
	}
}

// hideWire masks the errors of a connection's events, and the text of a RST.
func hideWire(w *result.Wire, mask *module.Mask) {
	for i := range w.Events {
		w.Events[i].Err = hiddenErr(w.Events[i].Err, mask)
	}
	if w.Cause != nil {
		w.Cause.Err = hiddenErr(w.Cause.Err, mask)
	}
	if w.Reset != nil && w.Reset.RST != nil {
		w.Reset.RST.Payload = mask.Beginning(w.Reset.RST.Payload)
	}
}

// hideFailure masks a failure's error, and what a name server said of it.
func hideFailure(f *result.Failure, mask *module.Mask) {
	if f == nil {
		return
	}
	f.Err = hiddenErr(f.Err, mask)
	if f.Extended != nil {
		said := *f.Extended // which an answer may share
		said.Text = mask.Text(said.Text)
		f.Extended = &said
	}
}

// hiddenErr is an error without secrets; the same one where there are none.
func hiddenErr(err error, mask *module.Mask) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if masked := mask.Text(text); masked != text {
		return &hiddenError{masked, err}
	}
	return err
}

// hiddenError is an error with another text.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }

// Unwrap returns the error as it was.
func (e *hiddenError) Unwrap() error { return e.err }

// hidden is a head without secrets; the same one where there are none.
func hidden(header http.Header, mask *module.Mask) http.Header {
	changed := http.Header{}
	for name, values := range header {
		shown := mask.Text(name)
		for i, value := range values {
			masked := mask.Text(value)
			if masked == value && shown == name {
				continue
			}
			if changed[name] == nil {
				changed[name] = slices.Clone(values)
			}
			changed[name][i] = masked
		}
	}
	if len(changed) == 0 {
		return header
	}
	all := make(http.Header, len(header))
	for name, values := range header {
		if changed[name] != nil {
			values = changed[name]
		}
		shown := mask.Text(name)
		all[shown] = append(all[shown], values...)
	}
	return all
}

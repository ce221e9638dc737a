package prober

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/url"
	"slices"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How secrets stay out of results. A server may return what it was sent in any place: a header, the status line, the
// body, an error of its own, a certificate that it makes for the next connection. So the secrets of the module and of
// the requests are replaced by their values, in everything that an attempt keeps, before anybody sees it.

// hide masks the secrets of an attempt in its record.
func (a *attempt) hide() {
	mask := a.module.Mask
	if password, ok := a.target.URL.User.Password(); ok {
		mask = mask.With(password, a.target.URL.User.Username()+":"+password)
	}
	mask = mask.With(a.module.SecretsOf(a.target.URL, nil)...)
	for i := range a.record.Hops {
		if request := a.record.Hops[i].Request; request != nil {
			mask = mask.With(a.module.SecretsOf(a.target.URL, request.Header)...)
		}
	}
	if mask == nil {
		return
	}
	for i := range a.record.Hops {
		hideHop(&a.record.Hops[i], mask)
	}
	hideFailure(a.record.Failure, mask)
}

// hideHop masks what a hop keeps.
func hideHop(h *result.Hop, mask *module.Mask) {
	h.URL, h.Proxy = mask.Text(h.URL), mask.Text(h.Proxy)
	if h.Request != nil {
		h.Request.URL, h.Request.Host = mask.Text(h.Request.URL), mask.Text(h.Request.Host)
		h.Request.Header = hidden(h.Request.Header, mask)
	}
	if r := h.Response; r != nil {
		r.Proto, r.StatusText, r.Header = mask.Text(r.Proto), mask.Text(r.StatusText), hidden(r.Header, mask)
		if r.Body != nil {
			r.Body = []byte(mask.Text(string(r.Body)))
		}
	}
	if h.TLS != nil {
		hideTLS(h.TLS, mask)
	}
	if h.Compared != nil {
		hideFailure(h.Compared.Failure, mask)
	}
}

// hideFailure masks a failure's error.
func hideFailure(f *result.Failure, mask *module.Mask) {
	if f == nil || f.Err == nil {
		return
	}
	text := f.Err.Error()
	if masked := mask.Text(text); masked != text {
		f.Err = &hiddenError{masked, f.Err}
	}
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

// hideTLS masks the texts of certificates.
func hideTLS(s *result.TLSState, mask *module.Mask) {
	s.ServerName, s.ALPN = mask.Text(s.ServerName), mask.Text(s.ALPN)
	copies := map[*x509.Certificate]*x509.Certificate{}
	s.Chain = hiddenChain(s.Chain, mask, copies)
	for i, chain := range s.VerifiedChains {
		if masked := hiddenChain(chain, mask, copies); !slices.Equal(masked, chain) {
			s.VerifiedChains = slices.Clone(s.VerifiedChains) // others share it
			s.VerifiedChains[i] = masked
		}
	}
}

// hiddenChain is a chain with copies of the certificates that have a secret.
func hiddenChain(chain []*x509.Certificate, mask *module.Mask,
	copies map[*x509.Certificate]*x509.Certificate) []*x509.Certificate {
	for i, c := range chain {
		masked, done := copies[c]
		if !done {
			masked = hiddenCertificate(c, mask)
			copies[c] = masked
		}
		if masked != c {
			chain = slices.Clone(chain)
			chain[i] = masked
		}
	}
	return chain
}

// hiddenCertificate is a copy of the certificate without secrets; the same one where there are none.
func hiddenCertificate(c *x509.Certificate, mask *module.Mask) *x509.Certificate {
	masked := *c
	masked.Subject, masked.Issuer = hiddenName(c.Subject, mask), hiddenName(c.Issuer, mask)
	masked.DNSNames, masked.EmailAddresses = hiddenTexts(c.DNSNames, mask), hiddenTexts(c.EmailAddresses, mask)
	masked.URIs = slices.Clone(c.URIs)
	for i, uri := range c.URIs {
		if text := uri.String(); mask.Text(text) != text {
			masked.URIs[i] = &url.URL{Opaque: mask.Text(text)}
		}
	}
	if masked.Subject.String() == c.Subject.String() && masked.Issuer.String() == c.Issuer.String() &&
		slices.Equal(masked.DNSNames, c.DNSNames) &&
		slices.Equal(masked.EmailAddresses, c.EmailAddresses) && slices.Equal(masked.URIs, c.URIs) {
		return c
	}
	return &masked
}

// hiddenName is a distinguished name without secrets. Each attribute's value is masked by itself: the name as a text
// has the values of types that RFC 2253 does not name in hexadecimal, and a backslash before some characters of the
// others.
func hiddenName(name pkix.Name, mask *module.Mask) pkix.Name {
	attributes := slices.Clone(name.Names)
	if attributes == nil {
		attributes = slices.Clone(name.ExtraNames) // of a certificate that was cut
	}
	changed := false
	for i, attribute := range attributes {
		if text, ok := attribute.Value.(string); ok && mask.Text(text) != text {
			attributes[i].Value, changed = mask.Text(text), true
		}
	}
	if changed {
		name = pkix.Name{Names: attributes, ExtraNames: attributes}
	}
	if text := name.String(); mask.Text(text) != text { // it is in more than one attribute, or was cut
		name = pkix.Name{CommonName: mask.Text(text)}
		name.Names = name.ToRDNSequence()[0]
	}
	return name
}

func hiddenTexts(texts []string, mask *module.Mask) []string {
	masked := make([]string, len(texts))
	for i, text := range texts {
		masked[i] = mask.Text(text)
	}
	return masked
}

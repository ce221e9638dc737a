package result

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What a Result has of what others send. It outlives its probe, in the history and as a target's last result, and its
// texts are chosen by servers, proxies and resolvers.
//
//   - Every text is cut to MaxText bytes: reason phrases, header fields, names in certificates, errors.
//   - A head is cut to MaxHead bytes and MaxFields fields. The fields that this program reads come first, then the
//     others by name.
//   - A chain of certificates that costs more than MaxChain is replaced by what is shown of it.
//   - What is cut is copied, so that it does not hold the whole in memory.
//
// The module's rules see heads before they are cut: they apply while the hop runs.

const (
	MaxText     = 4 << 10  // bytes of one text
	MaxShownURL = 8 << 10  // bytes of a URL as it is shown: no URL is longer as it is sent, and masking may lengthen it
	MaxHead     = 16 << 10 // bytes of one head's fields
	MaxFields   = 100      // of one head: as many as a record shows
	MaxHeads    = 48 << 10 // bytes of all heads of one attempt
	MaxChain    = 64 << 10 // bytes that a chain may cost in memory
	maxCerts    = 16       // certificates kept of a chain that costs more
	maxNames    = 4 << 10  // bytes of the names kept of one of its certificates
	maxBrief    = 256      // bytes of an error's text where many failures are kept
)

// Cut is a text of at most most bytes: the text itself if it is short, else a copy of its beginning and an ellipsis.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const ellipsis = "…"
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis // which copies it
}

// storedError is an error as a Result has it: its text, and the error behind it only where that is one of this program.
type storedError struct {
	text string
	ours error // a *DeniedError or *PanicError; nil for any other
}

func (e *storedError) Error() string { return e.text }

func (e *storedError) Unwrap() error { return e.ours }

// storedErr replaces an error by its text. Errors of net/http and crypto/x509 hold on to requests, responses and
// certificates.
func storedErr(err error, most int) error {
	if err == nil {
		return nil
	}
	kept := &storedError{text: Cut(err.Error(), most)}
	if denied, ok := errors.AsType[*DeniedError](err); ok {
		kept.ours = denied
	} else if bug, ok := errors.AsType[*PanicError](err); ok {
		kept.ours = bug
	}
	return kept
}

// Brief is the failure with a short error text alone, for where many failures are kept.
func (f *Failure) Brief() *Failure {
	if f == nil {
		return nil
	}
	brief := *f
	if f.Err != nil {
		brief.Err = &storedError{text: Cut(f.Err.Error(), maxBrief)}
	}
	return &brief
}

// Cut cuts what an attempt keeps of what others sent. It is called when the attempt has ended.
func (a *Attempt) Cut() {
	room := MaxHeads
	for i := len(a.Hops) - 1; i >= 0; i-- { // the last hop is the one that matters most
		h := &a.Hops[i]
		if h.Response != nil {
			h.Response.Cut(&room)
		}
		if h.Request != nil {
			h.Request.Header, _ = cutHeader(h.Request.Header, &room)
			h.Request.Host, h.Request.URL = Cut(h.Request.Host, MaxText), h.URL
		}
		if h.TLS != nil {
			h.TLS.cut()
		}
		if h.Compared != nil {
			h.Compared.Lookup.Cut()
			if f := h.Compared.Failure; f != nil {
				f.Err = storedErr(f.Err, MaxText)
			}
		}
	}
	if a.Failure != nil {
		a.Failure.Err = storedErr(a.Failure.Err, MaxText)
	}
}

// Cut cuts the errors of a lookup. It is called before others share the lookup.
func (l *Lookup) Cut() {
	if l == nil {
		return
	}
	for i := range l.Exchanges {
		l.Exchanges[i].Err = storedErr(l.Exchanges[i].Err, MaxText)
	}
}

// Cut cuts a response's head. room is what is left for all heads of the attempt.
func (r *Response) Cut(room *int) {
	r.Proto = strings.Clone(r.Proto) // it is a part of the same line, and outlives the rest in digests
	r.StatusText = Cut(r.StatusText, MaxText)
	var omitted int
	r.Header, omitted = cutHeader(r.Header, room)
	r.Omitted += omitted
}

// firstFields are the header fields that this program reads after the probe, and those that say most about a failure.
var firstFields = [...]string{
	"Location", "Retry-After", "Keep-Alive", "Connection", "Last-Modified", "Content-Type", "Content-Length", "Server",
	"Date", "Via",
	"Proxy-Status", "Www-Authenticate", "Proxy-Authenticate", "Alt-Svc", "Cache-Control",
}

// cutHeader returns the fields of a head that are kept, and how many are not.
func cutHeader(header http.Header, room *int) (http.Header, int) {
	bytes, fields := HeadBytes(header)
	if bytes <= MaxText && fields <= MaxFields && bytes <= *room {
		*room -= bytes
		return header, 0
	}
	most := min(MaxHead, *room)
	kept, left := http.Header{}, MaxFields
	keep := func(name string) {
		for _, value := range header[name] {
			value = Cut(value, MaxText)
			if cost := len(name) + len(value); left > 0 && cost <= most && len(name) <= MaxText {
				kept[name] = append(kept[name], strings.Clone(value))
				left--
				most -= cost
				*room -= cost
			}
		}
	}
	for _, name := range firstFields {
		keep(name)
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !slices.Contains(firstFields[:], name) {
			keep(strings.Clone(name))
		}
	}
	return kept, fields - (MaxFields - left)
}

// HeadBytes is how long a head's fields are, and how many there are.
func HeadBytes(header http.Header) (bytes, fields int) {
	for name, values := range header {
		for _, value := range values {
			bytes += len(name) + len(value)
			fields++
		}
	}
	return bytes, fields
}

// cut replaces certificates that cost too much memory by what is shown of them.
func (s *TLSState) cut() {
	s.ServerName, s.ALPN = Cut(s.ServerName, MaxText), Cut(s.ALPN, MaxText)
	for i := range s.Revocations {
		s.Revocations[i].cut()
	}
	s.Staple = s.Staple.cut()
	cost := ChainCost(s.Chain)
	for _, chain := range s.VerifiedChains {
		cost += perCertificate * len(chain)
	}
	if cost <= MaxChain || s.leaf != nil {
		return
	}
	if len(s.Chain) > 0 {
		leaf := s.Fingerprint()
		s.leaf = &leaf
	}
	s.Chain, s.VerifiedChains = cutChain(s.Chain), lastingChain(s.VerifiedChains)
}

// cutChain is what is kept of a chain: its first certificates, and the one among the others that expires first.
func cutChain(chain []*x509.Certificate) []*x509.Certificate {
	var kept []*x509.Certificate
	for _, c := range chain[:min(len(chain), maxCerts)] {
		kept = append(kept, cutCertificate(c))
	}
	if len(chain) > maxCerts {
		soonest := slices.MinFunc(chain[maxCerts:],
			func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		kept = append(kept, cutCertificate(soonest))
	}
	return kept
}

// lastingChain is what is kept of verified chains: when the one that lasts longest expires.
func lastingChain(chains [][]*x509.Certificate) [][]*x509.Certificate {
	var last time.Time
	for _, chain := range chains {
		soonest := slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if soonest.NotAfter.After(last) {
			last = soonest.NotAfter
		}
	}
	if last.IsZero() {
		return nil
	}
	return [][]*x509.Certificate{{{NotAfter: last}}}
}

// cutCertificate is what is shown of a certificate.
func cutCertificate(c *x509.Certificate) *x509.Certificate {
	kept := &x509.Certificate{
		SerialNumber: c.SerialNumber, Subject: cutName(c.Subject), Issuer: cutName(c.Issuer), NotBefore: c.NotBefore,
		NotAfter: c.NotAfter,
	}
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), MaxFields)] {
		kept.IPAddresses = append(kept.IPAddresses, slices.Clone(ip)) // it is a part of Raw
	}
	left := maxNames
	for i, name := range c.DNSNames {
		if left -= len(name) + 32; left < 0 {
			kept.DNSNames = append(kept.DNSNames, "… and "+strconv.Itoa(len(c.DNSNames)-i)+" more")
			break
		}
		kept.DNSNames = append(kept.DNSNames, strings.Clone(name))
	}
	return kept
}

// cutName is a distinguished name, or its beginning as a common name where it is long.
func cutName(name pkix.Name) pkix.Name {
	text := name.String()
	if len(text) <= maxBrief {
		return pkix.Name{ExtraNames: name.Names}
	}
	return pkix.Name{CommonName: Cut(text, maxBrief)}
}

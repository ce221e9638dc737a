package result

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"slices"
	"strings"
)

// maxSummaryName bounds a distinguished name, and all DNS names, of the certificate in a summary. A label of a sample
// has at most half as much.
const maxSummaryName = 1 << 10

// Summary is the result without what only its record shows: heads but for what is sampled of them, system calls, chains
// of certificates, long texts. The samples, the page and the rule of egress say the same of both. It shares no memory
// with the result that others have chosen.
func (r *Result) Summary() *Result {
	s := *r
	s.Failure = r.Failure.Brief()
	s.Attempts = slices.Concat(summaries(r.Attempts[:len(r.Attempts)-1]), []Attempt{r.Last().summary()})
	s.Addresses = make([]AddressProbe, len(r.Addresses))
	for i := range r.Addresses {
		p := &r.Addresses[i]
		s.Addresses[i] = AddressProbe{Addr: p.Addr, Attempts: summaries(p.Attempts), Failure: p.Failure.Brief()}
	}
	return &s
}

// Brief is a summary that has a failure and durations alone.
func (r *Result) Brief() *Result {
	b := *r
	b.Failure, b.Attempts, b.Addresses = r.Failure.Brief(), summaries(r.Attempts), nil
	return &b
}

// summaries are attempts with one hop each, which has the time of all hops.
func summaries(all []Attempt) []Attempt {
	kept := make([]Attempt, len(all))
	for i := range all {
		a := &all[i]
		kept[i] = Attempt{Start: a.Start, Elapsed: a.Elapsed, Failure: a.Failure.Brief(),
			Hops: []Hop{{Addr: a.LastHop().Addr, Spans: a.sums()}}}
	}
	return kept
}

// sums are the attempt's spans, one for each phase that began.
func (a *Attempt) sums() []Span {
	var sums []Span
	for i := range a.Hops {
		for _, s := range a.Hops[i].Spans {
			if at := slices.IndexFunc(sums, func(known Span) bool { return known.Phase == s.Phase }); at >= 0 {
				sums[at].Duration += s.Duration
				sums[at].Doubt += s.Doubt
				sums[at].Failed = sums[at].Failed || s.Failed
			} else {
				sums = append(sums, s)
			}
		}
	}
	return slices.Clip(sums)
}

// summary is the attempt with all of its hops.
func (a *Attempt) summary() Attempt {
	s := Attempt{Start: a.Start, Elapsed: a.Elapsed, Failure: a.Failure.Brief(), Hops: make([]Hop, len(a.Hops))}
	state := -1 // the last hop with TLS
	for i := range a.Hops {
		h := &a.Hops[i]
		s.Hops[i] = Hop{Spans: slices.Clone(h.Spans), Addr: h.Addr, Proxy: Cut(h.Proxy, maxBrief), Waited: h.Waited,
			Wire: h.Wire.summary()}
		if h.TLS != nil {
			state = i
		}
	}
	first, last := &s.Hops[0], &s.Hops[len(s.Hops)-1]
	first.Answers = slices.Clone(a.Hops[0].Answers)
	first.Lookup = a.Hops[0].Lookup.summary()
	if c := a.Hops[0].Compared; c != nil {
		first.Compared = &Comparison{Answers: slices.Clone(c.Answers), Lookup: c.Lookup.summary(),
			Failure: c.Failure.Brief()}
	}
	last.Response, last.Upstream = a.LastHop().Response.summary(), a.LastHop().Upstream
	if state >= 0 {
		s.Hops[state].TLS = a.Hops[state].TLS.summary()
	}
	return s
}

func (w *Wire) summary() *Wire {
	if w == nil {
		return nil
	}
	s := *w
	s.Dropped, s.Events, s.Cause = s.Dropped+len(w.Events), nil, nil
	return &s
}

func (l *Lookup) summary() *Lookup {
	if l == nil {
		return nil
	}
	s := &Lookup{Host: l.Host, Exchanges: slices.Clone(l.Exchanges)}
	for i := range s.Exchanges {
		s.Exchanges[i].Err = storedErr(s.Exchanges[i].Err, maxBrief)
		s.Exchanges[i].Extended = slices.Clone(s.Exchanges[i].Extended)
	}
	return s
}

// sampledFields are the fields of a response that samples are made from.
var sampledFields = [...]string{"Location", "Last-Modified"}

func (r *Response) summary() *Response {
	if r == nil {
		return nil
	}
	s := *r
	s.Header, s.Body, s.StatusText, s.Proto = http.Header{}, nil, strings.Clone(Cut(r.StatusText, maxBrief)),
		strings.Clone(Cut(r.Proto, maxBrief))
	kept := 0
	for _, name := range sampledFields {
		if value := r.Header.Get(name); value != "" {
			s.Header[name] = []string{strings.Clone(Cut(value, maxBrief))}
			kept++
		}
	}
	_, fields := HeadBytes(r.Header)
	s.Omitted += fields - kept
	return &s
}

// summary has of the server's own certificate what is sampled, and of the others the dates of the first that expires.
func (s *TLSState) summary() *TLSState {
	kept := *s
	kept.ServerName, kept.ALPN = Cut(s.ServerName, maxBrief), Cut(s.ALPN, maxBrief)
	kept.VerifiedChains = lastingChain(s.VerifiedChains)
	kept.Revocations = slices.Clone(s.Revocations)
	for i := range kept.Revocations {
		kept.Revocations[i].Change(func(text string) string { return strings.Clone(Cut(text, maxBrief)) })
	}
	if len(s.Chain) == 0 {
		return &kept
	}
	fingerprint := s.Fingerprint()
	kept.leaf = &fingerprint
	kept.Chain = []*x509.Certificate{leafSummary(s.Chain[0])}
	soonest := slices.MinFunc(s.Chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	if soonest.NotAfter.Before(s.Chain[0].NotAfter) {
		kept.Chain = append(kept.Chain, &x509.Certificate{NotBefore: soonest.NotBefore, NotAfter: soonest.NotAfter})
	}
	for _, c := range kept.Chain { // a certificate takes 1.5 KiB: the chain lasts as long as one of these, mostly
		if len(kept.VerifiedChains) > 0 && kept.VerifiedChains[0][0].NotAfter.Equal(c.NotAfter) {
			kept.VerifiedChains = [][]*x509.Certificate{{c}}
		}
	}
	return &kept
}

func leafSummary(c *x509.Certificate) *x509.Certificate {
	kept := &x509.Certificate{SerialNumber: c.SerialNumber, Subject: c.Subject, Issuer: c.Issuer,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	if longName(&c.Subject, c.RawSubject) {
		kept.Subject = cutName(c.Subject)
	}
	if longName(&c.Issuer, c.RawIssuer) {
		kept.Issuer = cutName(c.Issuer)
	}
	left := maxSummaryName
	for _, name := range c.DNSNames {
		if left <= 0 {
			break
		}
		kept.DNSNames = append(kept.DNSNames, Cut(name, left))
		left -= len(name) + 1
	}
	return kept
}

// longName reports whether a name is too long for a summary. Its text has at most four bytes for one of the name as it
// was sent, if that is known: it is made of the numbers of its types and of its values, escaped or in hexadecimal.
func longName(name *pkix.Name, raw []byte) bool {
	return (len(raw) == 0 || len(raw) > maxSummaryName/4) && len(name.String()) > maxSummaryName
}

// Summary is what became of the connection without the heads and texts of its request.
func (r *IdleResult) Summary() *IdleResult {
	s := *r
	s.Failure = r.Failure.Brief()
	s.Attempt = Attempt{Start: r.Attempt.Start, Elapsed: r.Attempt.Elapsed, Failure: s.Failure}
	if len(r.Attempt.Hops) > 0 {
		h := r.Attempt.LastHop()
		s.Attempt.Hops = []Hop{{Addr: h.Addr, Spans: slices.Clone(h.Spans), Wire: h.Wire.summary()}}
	}
	return &s
}

package result

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"slices"
	"time"
)

// What is packed of a summary, and of which: pack.go says how.

// clockSlack is by how much the two clocks of a time may disagree about what lies between the beginning of a probe and
// that of its attempt.
const clockSlack = time.Millisecond

// ordinary reports whether fields has all that there is to a summary.
func (r *Result) ordinary() bool {
	if r.Failure != nil || len(r.Addresses) > 0 || len(r.Attempts) != 1 {
		return false
	}
	a := r.Last()
	start := r.Start.Add(a.Start.Sub(r.Start))
	return a.Failure == nil && start.Round(0).Sub(a.Start.Round(0)).Abs() <= clockSlack &&
		!slices.ContainsFunc(a.Hops, func(h Hop) bool { return !h.ordinary() })
}

func (h *Hop) ordinary() bool {
	w := h.Wire
	return h.Compared == nil && h.Upstream == nil && h.Request == nil &&
		(w == nil || len(w.Events) == 0 && w.Cause == nil && w.Reset == nil && w.ICMP == nil) &&
		h.Lookup.ordinary() && h.TLS.ordinary() && h.Response.ordinary() &&
		!slices.ContainsFunc(h.Spans, func(s Span) bool { return phaseAt(s.Phase) < 0 })
}

func (l *Lookup) ordinary() bool {
	return l == nil || !slices.ContainsFunc(l.Exchanges,
		func(e DNSExchange) bool { return e.Errno != 0 || e.Err != nil || len(e.Extended) > 0 })
}

func (r *Response) ordinary() bool {
	if r == nil {
		return true
	}
	for name, values := range r.Header {
		if !slices.Contains(sampledFields[:], name) || len(values) != 1 || values[0] == "" {
			return false
		}
	}
	return r.Body == nil
}

func (s *TLSState) ordinary() bool {
	if s == nil {
		return true
	}
	return len(s.Revocations) == 0 &&
		(len(s.VerifiedChains) == 0 || len(s.VerifiedChains) == 1 && len(s.VerifiedChains[0]) == 1) &&
		!slices.ContainsFunc(s.Chain, func(c *x509.Certificate) bool {
			return c.SerialNumber != nil && c.SerialNumber.Sign() < 0 || !ordinaryName(&c.Subject) || !ordinaryName(&c.Issuer)
		})
}

// ordinaryName reports whether a name is as it is read from a certificate, so that Names has all of it.
func ordinaryName(n *pkix.Name) bool {
	return len(n.ExtraNames) == 0 && (len(n.Names) > 0 || n.CommonName == "") &&
		!slices.ContainsFunc(n.Names, func(a pkix.AttributeTypeAndValue) bool { _, ok := a.Value.(string); return !ok })
}

func phaseAt(p Phase) int {
	for i := range Phases {
		if Phases[i].Phase == p {
			return i
		}
	}
	return -1
}

func (c *coder) result(r *Result) {
	c.text(&r.Target.Host)
	c.text(&r.URL)
	c.text(&r.Module)
	c.text(&r.TraceID)
	number(c, &r.Elapsed)
	number(c, &r.Timeout)
	if !c.writes {
		r.Attempts = make([]Attempt, 1)
	}
	a := r.Last()
	after := a.Start.Sub(r.Start)
	number(c, &after)
	if !c.writes {
		a.Start = r.Start.Add(after)
	}
	number(c, &a.Elapsed)
	list(c, &a.Hops, (*coder).hop)
}

func (c *coder) hop(h *Hop) {
	c.text(&h.URL)
	list(c, &h.Spans, (*coder).span)
	optional(c, &h.Lookup, (*coder).lookup)
	list(c, &h.Answers, (*coder).addr)
	c.addrPort(&h.Addr)
	c.text(&h.Proxy)
	optional(c, &h.Wire, (*coder).wire)
	number(c, &h.Waited)
	optional(c, &h.TLS, (*coder).tls)
	optional(c, &h.Response, (*coder).response)
}

func (c *coder) span(s *Span) {
	at := phaseAt(s.Phase)
	number(c, &at)
	if !c.writes {
		s.Phase = Phases[at].Phase
	}
	number(c, &s.Start)
	number(c, &s.Duration)
	c.flag(&s.Failed)
	number(c, &s.Doubt)
}

func (c *coder) lookup(l *Lookup) {
	c.text(&l.Host)
	list(c, &l.Exchanges, (*coder).exchange)
}

func (c *coder) exchange(e *DNSExchange) {
	c.text(&e.Server)
	c.text(&e.Network)
	c.text(&e.Question)
	c.flag(&e.Sent)
	number(c, &e.Start)
	number(c, &e.Duration)
	number(c, &e.RCode)
	number(c, &e.Answers)
	c.flag(&e.Truncated)
	number(c, &e.TTL)
	c.flag(&e.GivenUp)
}

func (c *coder) wire(w *Wire) {
	c.addrPort(&w.Local)
	c.addrPort(&w.Remote)
	number(c, &w.BytesSent)
	number(c, &w.BytesReceived)
	number(c, &w.Dropped)
	number(c, &w.Began)
	number(c, &w.Established)
	c.flag(&w.KernelTimes)
	number(c, &w.Acknowledged)
	number(c, &w.SYNRetransmits)
	optional(c, &w.Info, (*coder).info)
	c.text(&w.InfoAt)
}

func (c *coder) info(i *TCPInfo) {
	c.text(&i.State)
	number(c, &i.RTT)
	number(c, &i.RTTVar)
	number(c, &i.MinRTT)
	number(c, &i.RwndLimited)
	number(c, &i.BusyTime)
	number(c, &i.LastDataRecv)
	number(c, &i.LastAckRecv)
	number(c, &i.Retransmits)
	number(c, &i.Backoff)
	number(c, &i.Probes)
	number(c, &i.Unacked)
	number(c, &i.Sacked)
	number(c, &i.Lost)
	number(c, &i.TotalRetrans)
	number(c, &i.BytesAcked)
	number(c, &i.BytesReceived)
	number(c, &i.BytesSent)
	number(c, &i.BytesRetrans)
	number(c, &i.NotSent)
	number(c, &i.SegsOut)
	number(c, &i.SegsIn)
	number(c, &i.OutOfOrder)
	number(c, &i.SndMSS)
	number(c, &i.PMTU)
	number(c, &i.SndWnd)
	number(c, &i.RcvWnd)
	c.flag(&i.OutOfOrderQueued)
	number(c, &i.TotalRTO)
}

func (c *coder) response(r *Response) {
	c.text(&r.Proto)
	number(c, &r.ProtoMajor)
	number(c, &r.ProtoMinor)
	number(c, &r.Status)
	c.text(&r.StatusText)
	if !c.writes {
		r.Header = http.Header{}
	}
	for _, name := range sampledFields {
		value := r.Header.Get(name)
		c.text(&value)
		if !c.writes && value != "" {
			r.Header[name] = []string{value}
		}
	}
	number(c, &r.Omitted)
	number(c, &r.ContentLength)
	number(c, &r.BodyBytes)
	c.flag(&r.Complete)
	number(c, &r.Marks)
}

func (c *coder) tls(s *TLSState) {
	number(c, &s.Version)
	number(c, &s.CipherSuite)
	number(c, &s.Group)
	c.text(&s.ServerName)
	c.text(&s.ALPN)
	list(c, &s.Chain, func(c *coder, one **x509.Certificate) { optional(c, one, (*coder).certificate) })
	c.verified(s)
	c.flag(&s.Complete)
	c.flag(&s.ClientCertAsked)
	number(c, &s.ListsTook)
	optional(c, &s.Staple, (*coder).staple)
	number(c, &s.Alert)
	optional(c, &s.leaf, func(c *coder, leaf *[sha256.Size]byte) {
		b := leaf[:]
		c.binary(&b)
		if !c.writes {
			copy(leaf[:], b)
		}
	})
}

// verified is the verified chain: the certificate that lasts as long, which may be one of Chain.
func (c *coder) verified(s *TLSState) {
	const none, another = -1, -2
	at, lasts := none, (*x509.Certificate)(nil)
	if len(s.VerifiedChains) > 0 {
		lasts = s.VerifiedChains[0][0]
		if at = slices.Index(s.Chain, lasts); at < 0 {
			at = another
		}
	}
	number(c, &at)
	if at == another {
		optional(c, &lasts, func(c *coder, l *x509.Certificate) { c.instant(&l.NotAfter) })
	} else if at >= 0 {
		lasts = s.Chain[at]
	}
	if !c.writes && at != none {
		s.VerifiedChains = [][]*x509.Certificate{{lasts}}
	}
}

func (c *coder) certificate(kept *x509.Certificate) {
	optional(c, &kept.SerialNumber, func(c *coder, serial *big.Int) {
		b := serial.Bytes()
		c.binary(&b)
		if !c.writes {
			serial.SetBytes(b)
		}
	})
	c.name(&kept.Subject)
	c.name(&kept.Issuer)
	c.instant(&kept.NotBefore)
	c.instant(&kept.NotAfter)
	list(c, &kept.DNSNames, (*coder).text)
}

func (c *coder) name(n *pkix.Name) {
	names := n.Names
	list(c, &names, func(c *coder, a *pkix.AttributeTypeAndValue) {
		list(c, (*[]int)(&a.Type), number[int])
		text, _ := a.Value.(string)
		c.text(&text)
		if !c.writes {
			a.Value = text
		}
	})
	if c.writes {
		return
	}
	var sequence pkix.RDNSequence
	for _, one := range names {
		sequence = append(sequence, pkix.RelativeDistinguishedNameSET{one})
	}
	n.FillFromRDNSequence(&sequence)
}

func (c *coder) staple(s *Staple) {
	c.text((*string)(&s.Status))
	c.instant(&s.ThisUpdate)
	c.instant(&s.NextUpdate)
	c.instant(&s.RevokedAt)
	c.text(&s.Reason)
	c.text(&s.Problem)
}

package result

import (
	"crypto/x509"
	"net/http"
	"slices"
)

const (
	perAllocation  = 16      // what the allocator rounds up by, about
	perHop         = 4 << 10 // a hop's fixed parts: spans, socket, TCP_INFO, heads
	perResult      = 2 << 10
	perField       = 96 // a slot of a header's map, with its list of values
	perCertificate = 4 << 10
	perAttempt     = 128
	perAddress     = 64 // of a name, with addresses: all
	perAddr        = 24 // a netip.Addr
	perFailure     = 128
	perEvent       = 112
	perExchange    = 216
	perExtended    = 40 // an Extended DNS Error
	perName        = 48 // of a certificate, with what a growing list wastes
)

// Size is about how many bytes of memory the result takes.
func (r *Result) Size() int {
	n := perResult + textSize(r.URL) + 2*textSize(r.Target.URL.String()) + perAddress*len(r.Addresses)
	var lookup *Lookup
	for a := range r.Every() {
		n += a.size(&lookup)
	}
	if len(r.Addresses) > 0 && !r.shared() {
		for i := range r.Attempts {
			n += r.Attempts[i].size(&lookup)
		}
	}
	return n
}

// shared reports whether the attempts are those of one of the addresses.
func (r *Result) shared() bool {
	return slices.ContainsFunc(r.Addresses, func(p AddressProbe) bool {
		return len(p.Attempts) > 0 && len(r.Attempts) > 0 && &p.Attempts[0] == &r.Attempts[0]
	})
}

// Size is about how many bytes of memory the attempt takes.
func (a *Attempt) Size() int {
	var lookup *Lookup
	return a.size(&lookup)
}

// size is Size without the lookup that was counted before, if it is the same. It notes the last one.
func (a *Attempt) size(lookup **Lookup) int {
	n := perAttempt + failureSize(a.Failure)
	for i := range a.Hops {
		h := &a.Hops[i]
		n += h.size()
		if h.Lookup != *lookup { // else it is the one of the hop before
			*lookup = h.Lookup
			n += h.Lookup.size() + perAddr*len(h.Answers)
		}
	}
	return n
}

// Size is about how many bytes of memory the failure takes; 0 for none.
func (f *Failure) Size() int { return failureSize(f) }

// Size is about how many bytes of memory the experiment's result takes.
func (c *Experiment) Size() int {
	return perAttempt + c.Attempt.Size() + failureSize(c.Failure) + perAddress*cap(c.Hops)
}

// Size is about how many bytes of memory what became of the connection takes.
func (r *IdleResult) Size() int { return perAttempt + r.Attempt.Size() + failureSize(r.Failure) }

func textSize(text string) int { return len(text) + perAllocation }

func failureSize(f *Failure) int {
	if f == nil {
		return 0
	}
	n := perFailure + perAllocation
	if f.Extended != nil {
		n += perExtended + len(f.Extended.Text)
	}
	if f.Err != nil {
		n += 2*perAllocation + textSize(f.Err.Error())
	}
	return n
}

func (h *Hop) size() int {
	n := perHop + textSize(h.URL) + textSize(h.Proxy)
	if h.Wire != nil {
		n += 2 * perEvent * len(h.Wire.Events) // with their errors
	}
	if h.Request != nil {
		n += headerSize(h.Request.Header)
	}
	if h.Response != nil {
		n += headerSize(h.Response.Header) + textSize(h.Response.StatusText) + cap(h.Response.Body)
	}
	if h.TLS != nil {
		n += ChainCost(h.TLS.Chain)
		for _, chain := range h.TLS.VerifiedChains {
			n += perCertificate * len(chain)
		}
		for i := range h.TLS.Revocations {
			n += h.TLS.Revocations[i].size()
		}
		n += h.TLS.Staple.size()
	}
	if h.Upstream != nil {
		n += 2 * perAllocation
	}
	if c := h.Compared; c != nil {
		n += c.Lookup.size() + failureSize(c.Failure) + perAddr*len(c.Answers)
	}
	return n
}

func (l *Lookup) size() int {
	if l == nil {
		return 0
	}
	n := textSize(l.Host) + perExchange*cap(l.Exchanges)
	for i := range l.Exchanges {
		e := &l.Exchanges[i]
		n += textSize(e.Server) + textSize(e.Question)
		for _, extended := range e.Extended {
			n += perExtended + textSize(extended.Text)
		}
		if e.Err != nil {
			n += 2*perAllocation + textSize(e.Err.Error())
		}
	}
	return n
}

func headerSize(header http.Header) int {
	n := 0
	for name, values := range header {
		n += perField + textSize(name)
		for _, value := range values {
			n += perAllocation + textSize(value)
		}
	}
	return n
}

func ChainCost(chain []*x509.Certificate) int {
	n := 0
	for _, c := range chain {
		n += certificateCost(c)
	}
	return n
}

// certificateCost is about how many bytes a parsed certificate takes: as it was sent, and what was made of it.
func certificateCost(c *x509.Certificate) int {
	n := perCertificate + 2*len(c.Raw)
	n += perName * (len(c.DNSNames) + len(c.EmailAddresses) + len(c.IPAddresses) + len(c.Extensions) +
		len(c.Subject.Names) + len(c.Issuer.Names))
	n += 4 * perName * (len(c.URIs) + len(c.PermittedDNSDomains) + len(c.ExcludedDNSDomains) +
		len(c.PermittedIPRanges) + len(c.ExcludedIPRanges))
	if c.Raw == nil {
		for _, name := range c.DNSNames {
			n += len(name)
		}
	}
	return n
}

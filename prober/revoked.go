package prober

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/revocation"
)

// Revocation (check_revoked) is checked between the handshake and the request, which a server with a revoked
// certificate is not sent. It takes part in no phase.
//
//   - Each certificate of a verified chain is looked up in the list that its issuer signs, at the addresses that it
//     names itself (RFC 5280 section 4.2.1.13). A certificate that was not verified names addresses of a stranger's
//     choice, and its issuer's signature proves nothing: without verification nothing is checked.
//   - A list is fetched as a target is probed: by its own attempt, with the policy applied to each address and
//     redirect, through the module's proxy and resolver, without credentials, and with all bounds of responses. It has
//     half of the time that the probe has left.
//   - The OCSP response that a server staples to its certificate is read without check_revoked too, since it costs no
//     connection, but fails a probe with it alone: blackbox_exporter does not look at it.
//   - A certificate that a list has is revoked. One whose list cannot be had, or says nothing of it, is not: whoever
//     can keep the list from us could else make every probe fail, and the metrics report it.

// What bounds the lists of one chain.
const (
	maxListBytes   = 10 << 20 // of one
	maxListPoints  = 4        // addresses of one certificate
	maxChecked     = 8        // certificates of one chain
	maxCheckChains = 4
	listTime       = 10 * time.Second // for the lists, where the probe has no deadline
)

// listModule is how lists are fetched for a module.
func listModule(of *module.Module) *module.Module {
	m := module.New(of.Name)
	m.PreferIPv6, m.IPProtocolFallback, m.SourceIP = of.PreferIPv6, of.IPProtocolFallback, of.SourceIP
	m.Proxy, m.ProxyConnectHeader, m.SkipResolve = of.Proxy, of.ProxyConnectHeader, of.SkipResolve
	m.Resolver, m.Mask, m.SecretParams = of.Resolver, of.Mask, of.SecretParams
	m.ValidStatusCodes, m.BodySizeLimit = []int{200}, maxListBytes
	m.TLS.RootCAs = of.TLS.RootCAs
	return m
}

// checkRevoked returns the failure of a chain with a revoked certificate; nil where one is not known to have any.
// stapled is the server's OCSP response, which is read in any case: metrics and records have what it says.
func (h *hop) checkRevoked(stapled []byte) *result.Failure {
	h.readStaple(stapled)
	if !h.attempt.module.CheckRevoked || len(h.TLS.VerifiedChains) == 0 {
		return nil
	}
	if s := h.TLS.Staple; s != nil && s.Status == result.StapleRevoked {
		c := h.TLS.VerifiedChains[0][0]
		return &result.Failure{Reason: result.TLSCertStapledRevoked, Origin: result.Self, Err: &result.RevokedError{
			Subject: c.Subject.String(), Serial: serialOf(c), At: s.RevokedAt, Reason: s.Reason}}
	}
	left := listTime
	if at, ok := h.attempt.ctx.Deadline(); ok {
		left = time.Until(at) / 2
	}
	ctx, cancel := context.WithTimeout(h.attempt.ctx, left)
	defer cancel()
	began := h.attempt.elapsed()
	var first error
	for i, chain := range h.TLS.VerifiedChains[:min(len(h.TLS.VerifiedChains), maxCheckChains)] {
		checks, err := h.checkChain(ctx, chain)
		if i == 0 || err == nil {
			h.TLS.Revocations = checks
		}
		if i == 0 {
			first = err
		}
		if err == nil {
			first = nil
			break
		}
	}
	h.TLS.ListsTook = h.attempt.elapsed() - began
	if first == nil {
		return nil
	}
	return &result.Failure{Reason: result.TLSCertRevoked, Origin: result.Self, Err: first}
}

// readStaple reads the server's OCSP response, if there is one and the issuer is verified.
func (h *hop) readStaple(stapled []byte) {
	if len(stapled) == 0 {
		return
	}
	for _, chain := range h.TLS.VerifiedChains[:min(len(h.TLS.VerifiedChains), maxCheckChains)] {
		if len(chain) < 2 {
			continue
		}
		read := h.attempt.prober.staples.Read(stapled, chain[0], chain[1], time.Now())
		if h.TLS.Staple == nil || read.Status != result.StapleInvalid {
			h.TLS.Staple = read
		}
		if read.Status != result.StapleInvalid {
			return
		}
	}
}

func serialOf(c *x509.Certificate) string { return fmt.Sprintf("%x", c.SerialNumber.Bytes()) }

// checkChain checks a verified chain, the server's own certificate first. The error says which one is revoked.
func (h *hop) checkChain(ctx context.Context, chain []*x509.Certificate) (all []result.Revocation, revoked error) {
	for i, c := range chain[:min(len(chain), maxChecked)] {
		one := result.Revocation{
			Fingerprint: sha256.Sum256(c.Raw), Subject: c.Subject.String(), Issuer: c.Issuer.String(),
			Names: strings.Join(c.DNSNames, ","), Serial: serialOf(c),
		}
		entry := h.lookUp(ctx, &one, c, chain[min(i+1, len(chain)-1)])
		if entry != nil && revoked == nil {
			revoked = &result.RevokedError{Subject: one.Subject, Serial: one.Serial, At: entry.At, Reason: entry.Reason,
				List: one.List}
		}
		all = append(all, one)
	}
	return all, revoked
}

// lookUp looks a certificate up at the addresses that it names, until one has a list that is about it.
func (h *hop) lookUp(ctx context.Context, one *result.Revocation, c, issuer *x509.Certificate) *revocation.Entry {
	if len(c.CRLDistributionPoints) == 0 {
		one.Problem = "the certificate names no list"
	}
	for _, address := range c.CRLDistributionPoints[:min(len(c.CRLDistributionPoints), maxListPoints)] {
		one.List = address
		list, err := h.attempt.prober.lists.Get(ctx, revocation.KeyOf(address, issuer),
			func(ctx context.Context) (*revocation.List, error) { return h.fetchList(ctx, address, issuer) })
		if err != nil {
			one.Problem = err.Error()
			continue
		}
		entry, err := list.Find(c)
		if err != nil {
			one.Problem = err.Error()
			continue
		}
		one.Available, one.Problem, one.Revoked = true, "", entry != nil
		one.NextUpdate, one.Stale = list.NextUpdate, list.Stale(time.Now())
		return entry
	}
	return nil
}

// fetchList fetches a list and reads it.
func (h *hop) fetchList(ctx context.Context, address string, issuer *x509.Certificate) (*revocation.List, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return nil, errors.New("its address is no http:// URL")
	}
	target, err := ParseTarget(address)
	if err != nil {
		return nil, err
	}
	target.Policy = h.attempt.target.Policy
	a := h.attempt.prober.newAttempt(ctx, target, listModule(h.attempt.module), "")
	var list *revocation.List
	a.take = func(body []byte) {
		if list, err = a.readList(body, address, issuer); err != nil {
			list = nil
		}
	}
	a.run()
	if f := a.record.Failure; f != nil {
		return nil, fmt.Errorf("it could not be fetched: %s", f.Sentence())
	}
	return list, err
}

// readList reads a list that was fetched. Large ones take their turn with other large bodies.
func (a *attempt) readList(body []byte, address string, issuer *x509.Certificate) (*revocation.List, error) {
	if len(body) > largeBody {
		select {
		case a.prober.parsing <- struct{}{}:
			defer func() { <-a.prober.parsing }()
		case <-a.ctx.Done():
			return nil, a.ctx.Err()
		}
	}
	return revocation.Parse(body, address, issuer, time.Now())
}

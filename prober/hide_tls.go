package prober

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"slices"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// hideTLS masks the texts of certificates.
func hideTLS(s *result.TLSState, mask *module.Mask) {
	s.ServerName, s.ALPN = mask.Text(s.ServerName), mask.Text(s.ALPN)
	for i := range s.Revocations {
		s.Revocations[i].Change(mask.Text)
	}
	if s.Staple != nil {
		s.Staple.Problem = mask.Text(s.Staple.Problem)
	}
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
	others := hideOthers(&masked, mask)
	if serial := c.SerialNumber; serial != nil && mask.Text(serial.Text(16)) != serial.Text(16) {
		masked.SerialNumber = new(big.Int)
	}
	masked.URIs = slices.Clone(c.URIs)
	for i, uri := range c.URIs {
		if text := uri.String(); mask.Text(text) != text {
			masked.URIs[i] = &url.URL{Opaque: mask.Text(text)}
		}
	}
	if !others && masked.Subject.String() == c.Subject.String() && masked.Issuer.String() == c.Issuer.String() &&
		slices.Equal(masked.DNSNames, c.DNSNames) && masked.SerialNumber == c.SerialNumber &&
		slices.Equal(masked.EmailAddresses, c.EmailAddresses) && slices.Equal(masked.URIs, c.URIs) {
		return c
	}
	return &masked
}

// hideOthers masks the texts of a certificate that no output shows, and reports whether one has a secret.
func hideOthers(c *x509.Certificate, mask *module.Mask) (changed bool) {
	for _, texts := range []*[]string{
		&c.OCSPServer, &c.IssuingCertificateURL, &c.CRLDistributionPoints, &c.PermittedDNSDomains,
		&c.ExcludedDNSDomains, &c.PermittedEmailAddresses, &c.ExcludedEmailAddresses, &c.PermittedURIDomains,
		&c.ExcludedURIDomains,
	} {
		masked := hiddenTexts(*texts, mask)
		changed = changed || !slices.Equal(masked, *texts)
		*texts = masked
	}
	return changed
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

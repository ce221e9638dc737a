package record

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// maxNames bounds how many names of a certificate are shown.
const maxNames = 20

// tls is what is known of the handshake and the certificates. now is the time that their dates are compared with.
func (p *page) tls(s *result.TLSState, now time.Time) {
	p.section("  TLS")
	p.line("    server name  %s", s.ServerName)
	if s.Version != 0 {
		p.line("    version      %s", tls.VersionName(s.Version))
	}
	if s.CipherSuite != 0 {
		p.line("    cipher       %s", tls.CipherSuiteName(s.CipherSuite))
	}
	if s.Group != 0 {
		p.line("    group        %s", tls.CurveID(s.Group))
	}
	if s.ALPN != "" {
		p.line("    protocol     %s", s.ALPN)
	}
	p.line("    certificate  %s", verification(s))
	if s.ClientCertAsked {
		p.line("    the server asked for a client certificate")
	}
	if s.Alert != 0 {
		p.line("    the server sent alert %d (%s)", s.Alert,
			strings.TrimPrefix(tls.AlertError(s.Alert).Error(), "tls: "))
	}
	if s.Staple != nil {
		p.staple(s.Staple)
	}
	for i := range s.Revocations {
		p.line("    revocation   of certificate %d of the verified chain: %s", i+1, revocation(&s.Revocations[i]))
	}
	for i, c := range s.Chain {
		p.certificate(i+1, c, now)
	}
}

func verification(s *result.TLSState) string {
	switch {
	case len(s.VerifiedChains) > 0:
		return "verified"
	case s.Complete:
		return "accepted without verification"
	default:
		return "not accepted, the handshake did not finish"
	}
}

func (p *page) certificate(number int, c *x509.Certificate, now time.Time) {
	p.section("  Certificate %d", number)
	p.line("    subject  %s", c.Subject)
	p.line("    issuer   %s", c.Issuer)
	p.line("    valid    %s to %s (%s)", c.NotBefore.UTC().Format(time.DateTime),
		c.NotAfter.UTC().Format(time.DateTime), validity(c, now))
	if len(c.RawSubjectPublicKeyInfo) > 0 {
		p.line("    key      %s", module.PinOf(c))
	}
	if names := certificateNames(c); len(names) > 0 {
		shown := strings.Join(names[:min(len(names), maxNames)], ", ")
		if len(names) > maxNames {
			shown += ", and " + count(len(names)-maxNames, "other")
		}
		p.line("    names    %s", shown)
	}
}

func validity(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "expired " + Long(now.Sub(c.NotAfter)) + " ago"
	case now.Before(c.NotBefore):
		return "not valid for another " + Long(c.NotBefore.Sub(now))
	default:
		return "expires in " + Long(c.NotAfter.Sub(now))
	}
}

func certificateNames(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// revocation is what is known of a certificate's revocation.
func revocation(r *result.Revocation) string {
	if !r.Available {
		return "unknown, " + r.Problem
	}
	text := "not revoked"
	if r.Revoked {
		text = "REVOKED"
	}
	text += ", by the list at " + r.List
	if r.Stale {
		text += ", which should have been replaced at " + r.NextUpdate.UTC().Format(time.DateTime)
	}
	return text
}

// staple is the OCSP response that the server sent with its certificate.
func (p *page) staple(s *result.Staple) {
	text := "status " + string(s.Status)
	switch {
	case s.Status == result.StapleInvalid:
		text = "cannot be used: " + s.Problem
	case s.Status == result.StapleRevoked:
		text = "REVOKED since " + s.RevokedAt.UTC().Format(time.DateTime)
		if s.Reason != "" {
			text += " (" + s.Reason + ")"
		}
	}
	if !s.ThisUpdate.IsZero() {
		text += ", as of " + s.ThisUpdate.UTC().Format(time.DateTime)
	}
	if !s.NextUpdate.IsZero() {
		text += ", to be replaced by " + s.NextUpdate.UTC().Format(time.DateTime)
	}
	p.line("    OCSP         %s", text)
}

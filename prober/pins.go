package prober

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Pinned keys (pinned_keys) are compared at the moment of the handshake at which certificates are verified: before the
// client certificate is sent, and before any request. They are the target's own: a redirect to another host, and a
// proxy over TLS, are verified without them.
//
// One key of a verified chain has to be pinned (RFC 7469 section 2.6). Where nothing is verified only the server's own
// key counts: it is the one whose possession the handshake proves, and anybody may send other certificates with it.

// requirePins makes a configuration of the hop's handshake require one of the module's keys. found are the chains of a
// verification that is not crypto/tls's own; nil where there is none.
func (h *hop) requirePins(c *tls.Config, found *chains) {
	pins := h.attempt.module.PinnedKeys
	if len(pins) == 0 || h.proxying || !h.toTarget() {
		return
	}
	verify := c.VerifyConnection
	c.VerifyConnection = func(cs tls.ConnectionState) (err error) {
		defer guard.Catch(&err)
		if verify != nil {
			if err := verify(cs); err != nil {
				return err
			}
		}
		verified := cs.VerifiedChains
		if found != nil {
			verified = *found
		}
		if pinned(pins, cs.PeerCertificates, verified) {
			return nil
		}
		key := module.PinOf(cs.PeerCertificates[0])
		return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates,
			Err: &result.PinError{Key: key.String()}}
	}
}

// pinned reports whether one of the keys is among the pins.
func pinned(pins []module.Pin, sent []*x509.Certificate, verified chains) bool {
	if len(verified) == 0 {
		return slices.Contains(pins, module.PinOf(sent[0]))
	}
	for _, chain := range verified {
		if slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
			return slices.Contains(pins, module.PinOf(c))
		}) {
			return true
		}
	}
	return false
}

// toTarget reports whether the hop goes to the target's own host, and not to one that a redirect names.
func (h *hop) toTarget() bool {
	return strings.EqualFold(h.request.URL.Hostname(), h.attempt.target.URL.Hostname())
}

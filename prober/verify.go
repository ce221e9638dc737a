package prober

import (
	"crypto/fips140"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How the same certificates are not verified again and again: the signatures of a chain take an eighth of an HTTPS
// probe, and prove the same each time.
//
//   - What is kept is that these certificates, byte by byte as the server sent them, lead to a root of this pool. A
//     reload makes new pools, and what was kept for the old ones counts no more.
//   - What may change counts each time: that each certificate of the chain is valid now, and that the server's is for
//     this name. Where that is not so the whole is verified anew, so that the error is that of the verification. That
//     the server has the certificate's key is proven in each handshake, by crypto/tls.
//   - Only successes are kept. Nothing is kept where the system decides what is trusted, and may change its mind
//     (macOS, Windows), nor under FIPS 140, where crypto/tls has rules of its own for chains.

// What bounds the chains that are kept: their number, and what their certificates cost in memory, all of them and one.
const (
	maxVerified      = 1024
	maxVerifiedBytes = 16 << 20
	perVerified      = 512 // an entry, with its places in the map and the order
	perLink          = 32  // a place in a chain, and what the verification's lists waste
)

// chains are what verification gives: from the server's certificate to a root.
type chains = [][]*x509.Certificate

// verified keeps what was verified. It may be used by many goroutines.
type verified struct {
	mu    sync.Mutex // guards what follows
	known map[verifiedKey]*verifiedChains
	order []verifiedKey // of the known, the oldest first
	bytes int           // that the known cost
}

// verifiedKey does not keep the pool in memory that a reload has replaced. A weak pointer is never that of another
// pool, also when the pool is gone.
type verifiedKey struct {
	leaf  [sha256.Size]byte           // of the server's own certificate
	roots weak.Pointer[x509.CertPool] // zero for the system's
}

func keyOf(leaf *x509.Certificate, roots *x509.CertPool) verifiedKey {
	return verifiedKey{sha256.Sum256(leaf.Raw), weak.Make(roots)}
}

type verifiedChains struct {
	others []*x509.Certificate // that the server sent after its own
	chains chains
	bytes  int
}

func newVerified() *verified { return &verified{known: map[verifiedKey]*verifiedChains{}} }

// watch makes a configuration verify with what was verified before. The chains are there after the handshake; nil where
// crypto/tls verifies by itself, or nobody does.
func (v *verified) watch(c *tls.Config) *chains {
	if c.InsecureSkipVerify || fips140.Enabled() || c.RootCAs == nil && runtime.GOOS != "linux" {
		return nil
	}
	found := new(chains)
	c.InsecureSkipVerify = true // it is done below, at the same moment of the handshake
	c.VerifyConnection = func(cs tls.ConnectionState) (err error) {
		defer guard.Catch(&err)
		*found, err = v.verify(cs.PeerCertificates, c.RootCAs, c.ServerName, time.Now())
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return nil
	}
	return found
}

// verify verifies the certificates that a server sent, its own first, as crypto/tls does. The roots are the system's if
// they are nil.
func (v *verified) verify(sent []*x509.Certificate, roots *x509.CertPool, name string, now time.Time) (chains, error) {
	if found := v.find(sent, roots); found != nil && validAt(found, now) && sent[0].VerifyHostname(name) == nil {
		return found, nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range sent[1:] {
		intermediates.AddCert(c)
	}
	found, err := sent[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: name,
		CurrentTime: now})
	if err != nil {
		return nil, err
	}
	v.store(sent, roots, found)
	return found, nil
}

func (v *verified) find(sent []*x509.Certificate, roots *x509.CertPool) chains {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := v.known[keyOf(sent[0], roots)]
	if kept == nil || !slices.EqualFunc(kept.others, sent[1:], (*x509.Certificate).Equal) {
		return nil
	}
	return kept.chains
}

func (v *verified) store(sent []*x509.Certificate, roots *x509.CertPool, found chains) {
	v.mu.Lock()
	defer v.mu.Unlock()
	bytes := costOf(sent, found)
	if bytes > result.MaxChain {
		return // a server that is made to cost much
	}
	key := keyOf(sent[0], roots)
	if known := v.known[key]; known != nil {
		v.bytes -= known.bytes
	} else {
		v.order = append(v.order, key)
	}
	v.known[key] = &verifiedChains{others: sent[1:], chains: found, bytes: bytes}
	v.bytes += bytes
	for len(v.order) > maxVerified || v.bytes > maxVerifiedBytes {
		v.bytes -= v.known[v.order[0]].bytes
		delete(v.known, v.order[0])
		v.order = v.order[1:]
	}
}

// costOf is about how many bytes of memory a verified chain takes: what the server sent, and the authorities of the
// pool, which this may outlive.
func costOf(sent []*x509.Certificate, found chains) int {
	bytes := perVerified + result.ChainCost(sent)
	var counted []*x509.Certificate
	for _, chain := range found {
		bytes += perLink * cap(chain)
		for _, c := range chain {
			if !slices.Contains(sent, c) && !slices.Contains(counted, c) {
				counted = append(counted, c)
			}
		}
	}
	return bytes + result.ChainCost(counted)
}

// size is about how many bytes of memory the verified chains take.
func (v *verified) size() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.bytes
}

// Held is about how many bytes of memory the Prober keeps between probes: chains of certificates that were verified,
// lists of those that were revoked, and OCSP responses.
func (p *Prober) Held() int { return p.verified.size() + p.lists.Size() + p.staples.Size() }

// validAt reports whether every certificate of every chain is valid at a time (RFC 5280 section 4.1.2.5).
func validAt(all chains, now time.Time) bool {
	for _, chain := range all {
		for _, c := range chain {
			if now.Before(c.NotBefore) || now.After(c.NotAfter) {
				return false
			}
		}
	}
	return true
}

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

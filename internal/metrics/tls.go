package metrics

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"errno_exporter/prober/result"
)

// addTLS adds the certificate's and the session's facts of the last hop that showed any, also when verification failed.
func (e *Exposition) addTLS(a *result.Attempt) {
	state := lastTLS(a)
	if state == nil {
		return
	}
	if len(state.Chain) > 0 {
		e.addChain(state)
	}
	if expiry, known := lastChainExpiry(state); known {
		e.gauge("probe_ssl_last_chain_expiry_timestamp_seconds",
			"Unix time at which the verified chain that lasts longest expires, -62135596800 if none was verified.",
			float64(expiry.Unix()))
	}
	if state.Version != 0 {
		e.gauge("probe_tls_version_info", "1, with the TLS version in use.", 1,
			label{"version", tls.VersionName(state.Version)})
	}
	if state.CipherSuite != 0 {
		e.gauge("probe_tls_cipher_info", "1, with the TLS cipher suite in use.", 1,
			label{"cipher", cipherName(state.CipherSuite)})
	}
	if state.Group != 0 {
		e.gauge("probe_tls_group_info", "1, with the group (curve) of the TLS key exchange.", 1,
			label{"group", tls.CurveID(state.Group).String()}, label{"id", strconv.Itoa(int(state.Group))})
	}
	if state.Staple != nil {
		e.addStaple(state.Staple)
	}
	if len(state.Revocations) > 0 {
		e.addRevocations(state)
	}
}

// cipherNames are the names of the cipher suites by ID: tls.CipherSuiteName makes a list of all of them each time.
var cipherNames = sync.OnceValue(func() map[uint16]string {
	names := map[uint16]string{}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		names[suite.ID] = suite.Name
	}
	return names
})

func cipherName(id uint16) string {
	if name, known := cipherNames()[id]; known {
		return name
	}
	return tls.CipherSuiteName(id)
}

// addChain adds the facts of the certificates as the server sent them, the leaf first.
func (e *Exposition) addChain(state *result.TLSState) {
	chain := state.Chain
	earliest := earliestToExpire(chain)
	e.gauge("probe_ssl_earliest_cert_expiry", "Earliest certificate expiry of the server's chain, as Unix time.",
		float64(earliest.NotAfter.Unix()))
	// Not by Sub: a duration ends at 292 years, and certificates of devices end in the year 9999 (RFC 5280, 4.1.2.5).
	e.gauge("probe_ssl_earliest_cert_lifetime_seconds",
		"For how long the certificate that expires earliest is valid in all, from its notBefore to its notAfter.",
		float64(earliest.NotAfter.Unix()-earliest.NotBefore.Unix()))
	leaf, fingerprint := chain[0], state.Fingerprint()
	e.gauge("probe_ssl_last_chain_info", "1, with fields of the server's own certificate.", 1,
		label{"fingerprint_sha256", hex.EncodeToString(fingerprint[:])},
		label{"issuer", leaf.Issuer.String()},
		label{"serialnumber", hex.EncodeToString(leaf.SerialNumber.Bytes())},
		label{"subject", leaf.Subject.String()},
		label{"subjectalternative", strings.Join(leaf.DNSNames, ",")})
}

func lastTLS(a *result.Attempt) *result.TLSState {
	for i := len(a.Hops) - 1; i >= 0; i-- {
		if state := a.Hops[i].TLS; state != nil {
			return state
		}
	}
	return nil
}

// lastChainExpiry is the latest of the verified chains' expiries: the time zero when the handshake finished and nothing
// was verified (insecure_skip_verify), unknown when the handshake failed.
func lastChainExpiry(state *result.TLSState) (time.Time, bool) {
	var last time.Time
	if !state.Complete {
		return last, false
	}
	for _, chain := range state.VerifiedChains {
		if expiry := earliestToExpire(chain).NotAfter; expiry.After(last) {
			last = expiry
		}
	}
	return last, true
}

// earliestToExpire is the certificate that expires first: of several that expire at once, the one nearest to the leaf.
// The chain has at least one.
func earliestToExpire(chain []*x509.Certificate) *x509.Certificate {
	earliest := chain[0]
	for _, certificate := range chain[1:] {
		if certificate.NotAfter.Before(earliest.NotAfter) {
			earliest = certificate
		}
	}
	return earliest
}

package module

import "crypto/tls"

// ResolverTLS is how name servers are reached over TLS: as targets are, but for what tls_cipher_suites, tls_curves and
// tls_legacy allow or demand of the target.
func (m *Module) ResolverTLS() *tls.Config {
	if m.TLS.CipherSuites == nil && m.TLS.CurvePreferences == nil {
		return m.TLS
	}
	c := m.TLS.Clone()
	c.CipherSuites, c.CurvePreferences = nil, nil
	if c.MinVersion < tls.VersionTLS12 {
		c.MinVersion = 0 // crypto/tls's default, TLS 1.2
	}
	if c.MaxVersion < tls.VersionTLS12 {
		c.MaxVersion = 0
	}
	return c
}

package faultlab

import (
	"crypto/tls"
)

// TLSGroup serves HTTPS with one version of TLS and one group for the key exchange.
func TLSGroup(h Host, version uint16, group tls.CurveID) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.MinVersion, c.MaxVersion, c.CurvePreferences = version, version, []tls.CurveID{group}
	}, obliging)
}

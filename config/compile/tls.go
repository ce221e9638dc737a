package compile

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/config/file"
)

// newTLSConfig compiles tls_config, and says of a key that needs a passphrase that it does: there is no key for one.
func newTLSConfig(c *promconfig.TLSConfig) (*tls.Config, error) {
	compiled, err := promconfig.NewTLSConfig(c)
	if err != nil && encrypted(c) {
		return nil, fmt.Errorf("%w: the key is encrypted, want one without a passphrase", err)
	}
	return compiled, err
}

func encrypted(c *promconfig.TLSConfig) bool {
	text := []byte(c.Key)
	if c.KeyFile != "" {
		text, _ = file.Read(c.KeyFile)
	}
	block, _ := pem.Decode(text)
	return block != nil && (block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"],
		"ENCRYPTED"))
}

// Handshake is what a module's keys say of the TLS handshake in addition to tls_config.
type Handshake struct {
	Suites []uint16      // tls_cipher_suites, up to TLS 1.2; empty: the default of crypto/tls
	Groups []tls.CurveID // tls_curves; empty: the default of crypto/tls
	Legacy bool          // tls_legacy
}

// into sets what the keys say. tls_legacy allows TLS 1.0 where tls_config has no min_version, and every cipher suite
// where tls_cipher_suites names none.
func (h *Handshake) into(c *tls.Config) {
	c.CipherSuites, c.CurvePreferences = h.Suites, h.Groups
	if !h.Legacy {
		return
	}
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS10
	}
	if len(h.Suites) == 0 {
		c.CipherSuites = AllSuites()
	}
}

// AllSuites are the cipher suites that crypto/tls has and that are configurable, the insecure ones included. Those of
// TLS 1.3 are neither.
func AllSuites() []uint16 {
	var all []uint16
	for _, list := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, suite := range list {
			if Configurable(suite) {
				all = append(all, suite.ID)
			}
		}
	}
	return all
}

// Configurable reports whether a cipher suite is of TLS 1.2 or older.
func Configurable(suite *tls.CipherSuite) bool { return suite.SupportedVersions[0] < tls.VersionTLS13 }

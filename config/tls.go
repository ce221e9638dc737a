package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/config/compile"
	"errno_exporter/prober/module"
)

// tlsKeys are the keys of TLS that are beside tls_config: it is that of Prometheus' library.
func (h *httpKeys) tlsKeys() map[string]key {
	return map[string]key{
		"check_revoked":     into(&h.CheckRevoked),
		"pinned_keys":       h.readPinnedKeys,
		"tls_cipher_suites": h.readSuites,
		"tls_curves":        h.readCurves,
		"tls_legacy":        into(&h.shaking.Legacy),
	}
}

func (h *httpKeys) readPinnedKeys(node *yaml.Node) error {
	var texts []string
	if err := into(&texts)(node); err != nil {
		return err
	}
	for _, text := range texts {
		pin, err := module.ParsePin(text)
		if err != nil {
			return fmt.Errorf("the item %q is no pinned key, %w", module.Shortened(text), err)
		}
		h.PinnedKeys = append(h.PinnedKeys, pin)
	}
	return nil
}

// readSuites reads tls_cipher_suites. Whether they may be insecure is known when all keys are read.
func (h *httpKeys) readSuites(node *yaml.Node) error {
	var names []string
	if err := into(&names)(node); err != nil {
		return err
	}
	for _, name := range names {
		suite := suiteNamed(name)
		switch {
		case suite == nil:
			return fmt.Errorf("the item %q is not a cipher suite of Go's crypto/tls, want one such as "+
				"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", module.Shortened(name))
		case !compile.Configurable(suite):
			return fmt.Errorf("the item %q is of TLS 1.3, whose cipher suites are always all offered: remove it", name)
		}
		h.shaking.Suites = append(h.shaking.Suites, suite.ID)
	}
	return nil
}

// suiteNamed is the cipher suite of a name; nil if there is none.
func suiteNamed(name string) *tls.CipherSuite {
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if suite.Name == name {
			return suite
		}
	}
	return nil
}

// hybrids are the groups that TLS 1.3 alone has.
var hybrids = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}

// readCurves reads tls_curves. P-256 is the name in standards, CurveP256 that of crypto/tls and of
// probe_tls_group_info.
func (h *httpKeys) readCurves(node *yaml.Node) error {
	var names []string
	if err := into(&names)(node); err != nil {
		return err
	}
	known := slices.Concat(hybrids, []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521})
	for _, name := range names {
		at := slices.IndexFunc(known, func(group tls.CurveID) bool {
			return name == group.String() || name == standardName(group)
		})
		if at < 0 {
			all := make([]string, len(known))
			for i, group := range known {
				all[i] = standardName(group)
			}
			return fmt.Errorf("the item %q is not a group for key exchange, want %s or %s", module.Shortened(name),
				strings.Join(all[:len(all)-1], ", "), all[len(all)-1])
		}
		h.shaking.Groups = append(h.shaking.Groups, known[at])
	}
	return nil
}

// standardName is P-256 for CurveP256.
func standardName(group tls.CurveID) string {
	if bits, found := strings.CutPrefix(group.String(), "CurveP"); found {
		return "P-" + bits
	}
	return group.String()
}

// checkHandshake refuses cipher suites and groups that are insecure and not allowed, or exclude other keys.
func (h *httpKeys) checkHandshake(node *yaml.Node) error {
	s, c := &h.shaking, &h.client.TLSConfig
	if err := h.checkSuites(); err != nil {
		return h.wrong(node, err, "tls_cipher_suites")
	}
	for _, one := range []struct {
		key  string
		used bool
	}{{"tls_cipher_suites", len(s.Suites) > 0}, {"tls_legacy", s.Legacy}} {
		switch {
		case one.used && h.EnableHTTP3:
			return h.wrong(node, fmt.Errorf("%s is about TLS 1.2 and older, and HTTP/3 has TLS 1.3 alone: remove it, or "+
				"enable_http3", one.key), one.key)
		case one.used && c.MinVersion >= tls.VersionTLS13:
			return h.wrong(node, fmt.Errorf("%s is about TLS 1.2 and older, which tls_config min_version TLS13 excludes: "+
				"remove one", one.key), one.key)
		}
	}
	newest := c.MaxVersion == 0 || c.MaxVersion >= tls.VersionTLS13
	if !newest && len(s.Groups) > 0 && !slices.ContainsFunc(s.Groups, func(group tls.CurveID) bool {
		return !slices.Contains(hybrids, group)
	}) {
		return h.wrong(node, errors.New("tls_curves has groups of TLS 1.3 alone, which tls_config max_version excludes: "+
			"add one such as X25519"), "tls_curves")
	}
	return nil
}

// checkSuites refuses insecure suites without tls_legacy, and those of which max_version allows none.
func (h *httpKeys) checkSuites() error {
	newest := uint16(h.client.TLSConfig.MaxVersion)
	usable := len(h.shaking.Suites) == 0 || newest == 0
	for _, id := range h.shaking.Suites {
		suite := suiteNamed(tls.CipherSuiteName(id))
		if suite.Insecure && !h.shaking.Legacy {
			return fmt.Errorf("tls_cipher_suites: the item %q is insecure: remove it, or set tls_legacy: true to allow it",
				suite.Name)
		}
		usable = usable || slices.Min(suite.SupportedVersions) <= newest
	}
	if !usable {
		return fmt.Errorf("tls_cipher_suites has none that %s has, which tls_config max_version demands: add one such as "+
			"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", tls.VersionName(newest))
	}
	return nil
}

package config

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// tlsKeys are the keys of TLS that are beside tls_config: it is that of Prometheus' library.
func (h *httpKeys) tlsKeys() map[string]key {
	return map[string]key{
		"check_revoked": into(&h.CheckRevoked),
		"pinned_keys":   h.readPinnedKeys,
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

package config

import (
	"errors"
	"fmt"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/config/compile"
	"errno_exporter/config/file"
)

// A file that a module names, and that cannot be used, fails that module's probes and no others. Secrets are read for
// each probe; for anything else the configuration is loaded again when the file can be read.

func (h *httpKeys) readBodyFile(node *yaml.Node) error {
	err := into(&h.bodyFile)(node)
	h.bodyFile = promconfig.JoinDir(h.dir, h.bodyFile)
	return err
}

// loadBody reads the body from its file.
func (h *httpKeys) loadBody(module *yaml.Node) error {
	if h.bodyFile == "" {
		return nil
	}
	if h.Body != nil {
		return h.wrong(module, errors.New("body and body_file exclude each other: remove one"), "body_file")
	}
	body, err := file.Read(h.bodyFile)
	if err != nil {
		h.Broken = fmt.Errorf("body_file: %w", err)
		h.warnOfFile(module, &compile.KeyError{Keys: []string{"body_file"}, Err: h.Broken})
	}
	h.Body, h.BodyFile = body, h.bodyFile
	return nil
}

// first is the value of the first of the keys that the module has, or else the module.
func (h *httpKeys) first(module *yaml.Node, keys []string) *yaml.Node {
	for _, name := range keys {
		if value := h.given[name]; value != nil {
			return value
		}
	}
	return module
}

// warnOfFile warns of a file that cannot be used: the module's probes fail until it can.
func (h *httpKeys) warnOfFile(node *yaml.Node, wrong *compile.KeyError) {
	h.place.warn(h.first(node, wrong.Keys), "every probe fails with probe.config: %w", wrong.Err)
}

// missingFiles are the files named that cannot be read, if some module cannot be built for want of one. Those with
// secrets are read for each probe.
func (c *Config) missingFiles(root *yaml.Node, dir string) []string {
	var missing []string
	for _, m := range c.Modules {
		if m.Broken == nil {
			continue
		}
		for _, named := range namedFiles(root, dir) {
			if _, err := file.Read(named.path); err != nil {
				missing = append(missing, named.path)
			}
		}
		break
	}
	return missing
}

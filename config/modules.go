package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// otherProbers are blackbox_exporter's probers that are not served here: their modules are skipped, so that one file
// serves both programs. Any other name is a mistake.
var otherProbers = []string{"tcp", "icmp", "dns", "grpc", "unix", "websocket"}

// modules reads the mapping from module names to modules.
func (c *Config) modules(p place, dir string, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("want a mapping from module names to modules")
	}
	keys := map[string]key{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		keys[name] = func(value *yaml.Node) error {
			if name == "" {
				return placedError{p.errorAt(value, "modules: a module needs a name")}
			}
			in := p.within("module %q: ", name)
			if prober := proberOf(value); prober != nil && slices.Contains(otherProbers, resolved(prober).Value) {
				c.Skipped[name] = resolved(prober).Value
				in.warn(prober, "is skipped: prober %q is not served here", resolved(prober).Value)
				return nil
			}
			m, err := readModule(in, name, dir, value)
			c.Modules[name] = m
			return err
		}
	}
	return p.mapping(node, "modules", keys)
}

// proberOf is the value of a module's key prober, nil where there is none.
func proberOf(module *yaml.Node) *yaml.Node {
	for i := 0; module.Kind == yaml.MappingNode && i+1 < len(module.Content); i += 2 {
		if value := module.Content[i+1]; module.Content[i].Value == "prober" &&
			resolved(value).Kind == yaml.ScalarNode {
			return value
		}
	}
	return nil
}

// readModule reads one http module.
func readModule(p place, name, dir string, node *yaml.Node) (*module.Module, error) {
	m := module.New(name)
	if isNull(node) {
		return m, placedError{p.errorAt(node, "is empty, want prober: http")}
	}
	prober := ""
	h := &httpKeys{Module: m, place: p, dir: dir}
	keys := map[string]key{
		"prober":  checked(&prober, checkProber),
		"timeout": duration(&m.Timeout),
		"trace":   into(&m.Trace), // is understood here, too
		"http":    h.read,
	}
	for _, name := range otherProbers {
		keys[name] = other(p, name)
	}
	err := p.mapping(node, "the module", unlessNull(keys))
	if err != nil {
		return m, err
	}
	if prober == "" {
		return m, placedError{p.errorAt(node, "prober is missing, want prober: http")}
	}
	h.noteDifferences()
	return m, h.finish(node)
}

func checkProber(prober string) error {
	if prober != "" && prober != "http" {
		return fmt.Errorf("is unknown, want http, or one of those that are skipped: %s",
			strings.Join(otherProbers, ", "))
	}
	return nil
}

// checkServed refuses a configuration that leaves nothing to serve.
func (c *Config) checkServed(p place, root *yaml.Node) error {
	switch {
	case len(c.Modules) > 0:
		return nil
	case len(c.Skipped) > 0:
		return p.errorAt(root, "modules: all of them use other probers than http, want at least one with prober: http")
	}
	return p.errorAt(root, "modules: none is configured, want at least one")
}

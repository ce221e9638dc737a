package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/config/file"
	"errno_exporter/prober/module"
)

// Load reads a configuration file and everything it refers to. The error has one line for each thing that is wrong,
// naming file, line, module, key, value and the fix.
func Load(path string) (*Config, error) {
	fingerprint := FingerprintOf(path) // before the load: what changes during it counts as a change
	data, err := file.Read(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(data, path, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	c.fingerprint = fingerprint
	return c, nil
}

// Parse reads a configuration. file is its name in errors; files it refers to are relative to dir.
func Parse(data []byte, file, dir string) (*Config, error) {
	p := place{file: file}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:1: the file is empty, want at least the key modules", file)
		}
		return nil, syntaxError(file, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(file, err)
		}
		return nil, p.errorAt(&more, "a second document begins here, want one")
	}
	c := &Config{File: file, Modules: map[string]*module.Module{}, Policy: DefaultPolicy()}
	root := document.Content[0]
	if err := (merges{p, map[*yaml.Node]bool{}}).expand(root); err != nil {
		return nil, err
	}
	if err := checkNamedFiles(p, root, dir); err != nil {
		return nil, err
	}
	var targets *yaml.Node // are read last: they name modules
	err := p.mapping(root, "the configuration", map[string]key{
		"modules":         func(value *yaml.Node) error { return c.modules(p, dir, value) },
		"targets":         func(value *yaml.Node) error { targets = value; return nil },
		"control_targets": func(value *yaml.Node) error { return c.readReferenceTargets(p, value) },
		"probe_policy":    func(value *yaml.Node) error { return p.mapping(value, "probe_policy", c.Policy.keys()) },
	})
	if targets != nil {
		err = joined([]error{err, c.readTargets(p, targets)})
	}
	if err != nil {
		return nil, err
	}
	if len(c.Modules) == 0 {
		return nil, p.errorAt(root, "modules: none is configured, want at least one")
	}
	if c.yaml, err = show(root, c.secretParams()); err != nil {
		return nil, fmt.Errorf("%s:1: cannot be shown: %w", file, err)
	}
	return c, nil
}

// secretParams are the names in secret_params of all modules.
func (c *Config) secretParams() []string {
	var names []string
	for _, m := range c.Modules {
		names = append(names, m.SecretParams...)
	}
	return names
}

// syntaxError places what yaml says of broken YAML. The line is the last that made sense to it; it knows none of bytes
// that are no text.
func syntaxError(file string, err error) error {
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if line, rest, found := strings.Cut(strings.TrimPrefix(problem, "line "), ": "); found && rest != "" &&
		strings.HasPrefix(problem, "line ") {
		return fmt.Errorf("%s:%s: broken YAML here or below: %s", file, line, rest)
	}
	return fmt.Errorf("%s:1: broken YAML here or below: %s", file, problem)
}

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
			m, err := readModule(place{p.file, fmt.Sprintf("module %q: ", name)}, name, dir, value)
			c.Modules[name] = m
			return err
		}
	}
	return p.mapping(node, "modules", keys)
}

// readModule reads one module.
func readModule(p place, name, dir string, node *yaml.Node) (*module.Module, error) {
	m := module.New(name)
	if isNull(node) {
		return m, placedError{p.errorAt(node, "is empty, want prober: http")}
	}
	if other := otherProber(node); other != nil {
		return m, placedError{p.errorAt(other, "prober %q is not supported, this exporter probes HTTP only: remove "+
			"the module or want prober: http", other.Value)}
	}
	prober := ""
	h := &httpKeys{Module: m, place: p, dir: dir}
	err := p.mapping(node, "the module", map[string]key{
		"prober":  into(&prober),
		"timeout": duration(&m.Timeout),
		"trace":   into(&m.Trace), // is understood here, too
		"http":    h.read,
	})
	if err != nil {
		return m, err
	}
	if prober == "" {
		return m, placedError{p.errorAt(node, "prober is missing, want prober: http")}
	}
	return m, h.finish(node)
}

// otherProber finds a prober that is not ours: blackbox_exporter's other modules have keys that mean nothing here, and
// one error says enough.
func otherProber(module *yaml.Node) *yaml.Node {
	for i := 0; module.Kind == yaml.MappingNode && i+1 < len(module.Content); i += 2 {
		if value := resolved(module.Content[i+1]); module.Content[i].Value == "prober" &&
			value.Kind == yaml.ScalarNode && value.Value != "http" {
			return &yaml.Node{Value: value.Value, Line: module.Content[i+1].Line}
		}
	}
	return nil
}

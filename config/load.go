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
	p := place{file: file, notes: new(notes)}
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
	c := &Config{File: file, Modules: map[string]*module.Module{}, Skipped: map[string]string{}, Policy: DefaultPolicy()}
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
	if err := c.checkServed(p, root); err != nil {
		return nil, err
	}
	c.Warnings, c.Differences = p.notes.warnings, p.notes.different
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

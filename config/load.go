package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// Load reads a configuration file and everything it refers to. The error has one line for each thing that is wrong,
// naming file, line, module, key, value and the fix.
func Load(path string) (*Config, error) {
	written, fingerprint := read(path)
	c, err := load(path, written, nil)
	if err != nil {
		return nil, err
	}
	c.fingerprint = fingerprint
	return c, nil
}

// load loads what a file has. It takes the place of the previous configuration, nil at the start.
func load(path string, written *source, previous *Config) (*Config, error) {
	if written.unread != nil {
		return nil, fmt.Errorf("read configuration: %w", written.unread)
	}
	return parse(written, place{file: path, notes: new(notes)}, filepath.Dir(path), previous)
}

// Parse reads a configuration. file is its name in errors; files it refers to are relative to dir.
func Parse(data []byte, file, dir string) (*Config, error) {
	return parse(decode(data), place{file: file, notes: new(notes)}, dir, nil)
}

func parse(written *source, p place, dir string, previous *Config) (*Config, error) {
	root, err := p.document(written)
	if err != nil {
		return nil, err
	}
	c := &Config{File: p.file, dir: dir, Modules: map[string]*module.Module{}, Skipped: map[string]string{},
		Policy: DefaultPolicy()}
	if err := p.merged(root, len(written.data)); err != nil {
		return nil, err
	}
	if err := checkNamedFiles(p, root, dir); err != nil {
		return nil, err
	}
	var targets, targetFiles *yaml.Node // are read last: they name modules
	err = p.mapping(root, "the configuration", map[string]key{
		"modules":         func(value *yaml.Node) error { return c.modules(p, dir, value) },
		"targets":         func(value *yaml.Node) error { targets = value; return nil },
		"control_targets": func(value *yaml.Node) error { return c.readReferenceTargets(p, value) },
		"observe":         func(value *yaml.Node) error { return c.readObserve(p, value) },
		"target_files":    func(value *yaml.Node) error { targetFiles = value; return nil },
		"probe_policy":    func(value *yaml.Node) error { return p.mapping(value, "probe_policy", c.Policy.keys()) },
	})
	if targets != nil {
		err = joined([]error{err, c.readTargets(p, targets)})
	}
	if targetFiles != nil && err == nil {
		err = p.atKey(&yaml.Node{Value: "target_files"}, targetFiles,
			func(value *yaml.Node) error { return c.readTargetFiles(p, value, previous) })
	}
	if err != nil {
		return nil, err
	}
	if err := joined([]error{c.checkServed(p, root), c.checkObserved(p, root)}); err != nil {
		return nil, err
	}
	c.missing = c.missingFiles(root, dir)
	c.Warnings, c.Differences = p.notes.warnings, p.notes.different
	data, params := written.data, c.secretParams() // not the document, which takes more memory
	c.shown = sync.OnceValue(func() []byte { return show(place{file: p.file, notes: new(notes)}, data, params) })
	return c, nil
}

// source is what a file has: it is read and decoded once, for its fingerprint and for its meaning.
type source struct {
	data     []byte
	unread   error // why the file could not be read; nil if it was
	document yaml.Node
	broken   error         // of the first document's YAML; io.EOF if there is none
	rest     *yaml.Decoder // of the documents behind it
}

func decode(data []byte) *source {
	s := &source{data: data, rest: yaml.NewDecoder(bytes.NewReader(data))}
	s.broken = s.rest.Decode(&s.document)
	return s
}

// document is the one document of a file. Empty ones behind it are what templates leave.
func (p place) document(written *source) (*yaml.Node, error) {
	if err := written.broken; err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:1: the file is empty, want at least the key modules", p.file)
		}
		return nil, p.syntaxError(written.data, err)
	}
	var more yaml.Node
	err := written.rest.Decode(&more)
	for err == nil && isNull(more.Content[0]) {
		err = written.rest.Decode(&more)
	}
	if errors.Is(err, io.EOF) {
		return written.document.Content[0], nil
	}
	if err != nil {
		return nil, p.syntaxError(written.data, err)
	}
	return nil, p.errorAt(&more, "a second document begins here, want one")
}

// secretParams are the names in secret_params of all modules.
func (c *Config) secretParams() []string {
	var names []string
	for _, m := range c.Modules {
		names = append(names, m.SecretParams...)
	}
	return names
}

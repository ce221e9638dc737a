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
func Load(path string) (*Config, error) { return load(path, nil) }

// load loads a file that takes the place of the previous configuration, nil at the start.
func load(path string, previous *Config) (*Config, error) {
	fingerprint := FingerprintOf(path) // before the load: what changes during it counts as a change
	data, err := file.Read(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c, err := parse(data, place{file: path, notes: new(notes)}, filepath.Dir(path), previous)
	if err != nil {
		return nil, err
	}
	c.fingerprint = fingerprint
	return c, nil
}

// Parse reads a configuration. file is its name in errors; files it refers to are relative to dir.
func Parse(data []byte, file, dir string) (*Config, error) {
	return parse(data, place{file: file, notes: new(notes)}, dir, nil)
}

func parse(data []byte, p place, dir string, previous *Config) (*Config, error) {
	root, err := p.document(data)
	if err != nil {
		return nil, err
	}
	c := &Config{File: p.file, dir: dir, Modules: map[string]*module.Module{}, Skipped: map[string]string{},
		Policy: DefaultPolicy()}
	if err := (merges{p, map[*yaml.Node]bool{}}).expand(root); err != nil {
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
	if c.yaml, err = show(root, c.secretParams()); err != nil {
		return nil, fmt.Errorf("%s:1: cannot be shown: %w", p.file, err)
	}
	return c, nil
}

// document reads the one document of a file. Empty ones behind it are what templates leave.
func (p place) document(data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:1: the file is empty, want at least the key modules", p.file)
		}
		return nil, p.syntaxError(data, err)
	}
	err := decoder.Decode(&more)
	for err == nil && isNull(more.Content[0]) {
		err = decoder.Decode(&more)
	}
	if errors.Is(err, io.EOF) {
		return document.Content[0], nil
	}
	if err != nil {
		return nil, p.syntaxError(data, err)
	}
	return nil, p.errorAt(&more, "a second document begins here, want one")
}

// tabLine is the first line that a tab indents, which YAML forbids; 0 if there is none.
func tabLine(data []byte) int {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") && strings.TrimSpace(line) != "" {
			return number
		}
	}
	return 0
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
func (p place) syntaxError(data []byte, err error) error {
	file := p.file
	mayBeTab := strings.Contains(err.Error(), "cannot start any token") || strings.Contains(err.Error(), "tab character")
	if line := tabLine(data); line > 0 && mayBeTab {
		return fmt.Errorf("%s:%d: a tab indents this line: use spaces", file, line)
	}
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if line, rest, found := strings.Cut(strings.TrimPrefix(problem, "line "), ": "); found && rest != "" &&
		strings.HasPrefix(problem, "line ") {
		return fmt.Errorf("%s:%s: broken YAML here or below: %s", file, line, rest)
	}
	return fmt.Errorf("%s:1: broken YAML here or below: %s", file, problem)
}

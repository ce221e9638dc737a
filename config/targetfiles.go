package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/config/file"
	"errno_exporter/prober/module"
)

// Targets come from files, too: in the format of Prometheus' file_sd, [{targets: [URL, …], labels: {…}}] with the label
// __param_module, or with our own keys, as under targets. A file that cannot be used keeps the targets that it had, and
// a target whose name is taken is left out; each gives a warning.

// targetFile is one of target_files, and what was read from it.
type targetFile struct {
	path    string
	targets []*Target
}

// targetPaths are the files that match patterns, each once.
func targetPaths(dir string, patterns []string) ([]string, error) {
	var paths []string
	for _, pattern := range patterns {
		if !slices.Contains([]string{".yml", ".yaml", ".json"}, strings.ToLower(filepath.Ext(pattern))) {
			return nil, fmt.Errorf("the item %q is no file of targets, want one such as targets/*.yml, .yaml or .json",
				module.Shortened(pattern))
		}
		matched, err := filepath.Glob(promconfig.JoinDir(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("the item %q is no pattern, want one such as targets/*.yml",
				module.Shortened(pattern))
		}
		paths = append(paths, matched...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// readTargetFiles reads target_files. previous is the configuration in force, nil at the start.
func (c *Config) readTargetFiles(p place, node *yaml.Node, previous *Config) error {
	var patterns []string
	if err := into(&patterns)(node); err != nil {
		return err
	}
	paths, err := targetPaths(c.dir, patterns)
	if err != nil {
		return err
	}
	c.targetPatterns = patterns
	if len(paths) == 0 && len(patterns) > 0 {
		p.warn(node, "target_files: there is no such file")
	}
	names := map[string]bool{}
	for _, t := range c.Targets {
		names[t.Name] = true
	}
	for _, path := range paths {
		targets, err := c.readTargetFile(place{file: path, notes: p.notes})
		if err != nil {
			c.TargetFilesFailed++
			targets = c.targetsBefore(path, previous)
			p.warn(node, "target_files: %d targets of %q stay as they were: %w", len(targets), path, err)
		}
		c.targetFiles = append(c.targetFiles, targetFile{path, targets})
		c.addTargets(p, node, path, names)
	}
	return nil
}

// addTargets adds the targets of the file that was read last, but for those whose names are taken: one warning for all
// of them, as there may be thousands.
func (c *Config) addTargets(p place, node *yaml.Node, path string, names map[string]bool) {
	var first *Target // that is left out
	others := 0
	for _, t := range c.targetFiles[len(c.targetFiles)-1].targets {
		switch {
		case !names[t.Name]:
			names[t.Name] = true
			c.Targets = append(c.Targets, t)
		case first == nil:
			first = t
		default:
			others++
		}
	}
	switch {
	case others > 0:
		p.warn(node, "target_files: target %q and %d others of %q are left out: the names are taken",
			module.Shortened(first.Name), others, path)
	case first != nil:
		p.warn(node, "target_files: target %q of %q is left out: the name is taken", module.Shortened(first.Name), path)
	}
}

// targetsBefore are the targets that a file had in the previous configuration and whose modules there still are.
func (c *Config) targetsBefore(path string, previous *Config) []*Target {
	if previous == nil {
		return nil
	}
	var stay []*Target
	for _, f := range previous.targetFiles {
		for _, t := range f.targets {
			if m := c.Modules[t.Module.Name]; f.path == path && m != nil {
				same := *t
				same.Module = m
				stay = append(stay, &same)
			}
		}
	}
	return stay
}

// readTargetFile reads one file.
func (c *Config) readTargetFile(p place) ([]*Target, error) {
	if err := file.CheckRegular(p.file); err != nil {
		return nil, err
	}
	data, err := file.Read(p.file)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(p.file), ".json") {
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" ")) // which YAML forbids; no text in JSON has a raw one
	}
	written := decode(data)
	if errors.Is(written.broken, io.EOF) {
		return nil, fmt.Errorf("%s:1: the file is empty, want [] for no targets", p.file)
	}
	root, err := p.document(written)
	if err != nil {
		return nil, err
	}
	if err := p.merged(root, len(data)); err != nil {
		return nil, err
	}
	if isNull(root) {
		return nil, nil
	}
	if root.Kind != yaml.SequenceNode {
		return nil, p.errorAt(root, "want a list, each {targets, labels} or {name, url, module, labels, min_interval}")
	}
	var targets []*Target
	for i, item := range root.Content {
		item = resolved(item)
		read, err := c.readGroup(p.within("entry %d: ", i+1), item)
		if err != nil {
			return nil, err
		}
		targets = append(targets, read...)
	}
	return targets, nil
}

// readGroup reads an entry of a file: a group of targets, or one with our own keys.
func (c *Config) readGroup(p place, node *yaml.Node) ([]*Target, error) {
	if !slices.ContainsFunc(node.Content, func(n *yaml.Node) bool { return n.Value == "targets" }) {
		t, err := c.readTarget(p, node)
		return []*Target{t}, err
	}
	var urls []string
	shared := &Target{Module: c.Modules[DefaultModule]}
	err := p.mapping(node, "the group", map[string]key{
		"targets": into(&urls),
		"labels":  func(value *yaml.Node) error { return shared.readGroupLabels(p, c, value) },
	})
	if err != nil {
		return nil, err
	}
	if shared.Module == nil {
		return nil, p.errorAt(node, "__param_module is missing, and there is no module %q, which is the default",
			DefaultModule)
	}
	var targets []*Target
	for _, text := range urls {
		t := *shared
		keys := t.keys(p, c.Modules)
		value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: node.Line}
		if err := errors.Join(p.atKey(&yaml.Node{Value: "target"}, value, keys["name"]), keys["url"](value)); err != nil {
			return nil, err
		}
		t.ShownURL = t.Module.MaskURL(t.URL)
		targets = append(targets, &t)
	}
	return targets, nil
}

// readGroupLabels reads the labels of a group. Those for relabelling are not passed on, as in Prometheus, but for
// __param_module, which names the module.
func (t *Target) readGroupLabels(p place, c *Config, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return t.readLabels(p, node)
	}
	shown := &yaml.Node{Kind: yaml.MappingNode, Line: node.Line}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		switch {
		case name.Value == "__param_module":
			if err := p.atKey(name, value, t.keys(p, c.Modules)["module"]); err != nil {
				return placedError{err}
			}
		case !strings.HasPrefix(name.Value, "__"):
			shown.Content = append(shown.Content, name, value)
		}
	}
	return t.readLabels(p, shown)
}

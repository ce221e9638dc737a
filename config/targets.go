package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// Target is one API to watch: it is probed on every scrape of /metrics. It is never changed after Load.
type Target struct {
	Name        string // the label target; unique
	URL         *url.URL
	ShownURL    string // the URL without credentials, for answers and pages
	Module      *module.Module
	Labels      []Label       // of probe_target_info, by name
	MinInterval time.Duration // a scrape within it gets the last result again; 0: every scrape probes
	Histograms  Histograms    // empty: those of --metrics.histograms
}

// Label is a label that a target was given.
type Label struct{ Name, Value string }

// Find returns the configured target of a name, nil if there is none.
func (c *Config) Find(name string) *Target {
	for _, targets := range [][]*Target{c.Targets, c.OtherTargets} {
		for _, t := range targets {
			if t.Name == name {
				return t
			}
		}
	}
	return nil
}

// Scraped reports whether a configured target belongs to this shard: whether a scrape of /metrics probes it.
func (c *Config) Scraped(t *Target) bool { return c.Shard.has(t.Name) }

// maxName bounds the name of a target in bytes.
const maxName = 128

// readTargets reads the list of targets, whose modules are known by now.
func (c *Config) readTargets(p place, node *yaml.Node) error {
	node = resolved(node)
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		return placedError{p.errorAt(node, "targets: want a list, each {name, url, module, labels, min_interval, "+
			"histograms}")}
	}
	var problems []error
	lines := map[string]int{}
	for i, item := range node.Content {
		item = resolved(item)
		t, err := c.readTarget(p.within("target %s: ", targetTitle(item, i)), item)
		if line, twice := lines[t.Name]; err == nil && twice {
			err = p.errorAt(item, "target %q is duplicated, first in line %d: give each its own name", t.Name, line)
		}
		lines[t.Name] = item.Line
		if err != nil {
			problems = append(problems, err)
		}
		if len(problems) == maxProblems {
			problems = append(problems, p.errorAt(item, "the rest of targets is not read after %d errors", maxProblems))
			break
		}
		c.Targets = append(c.Targets, t)
	}
	return joined(problems)
}

// targetTitle is what errors call a target that may have no name.
func targetTitle(item *yaml.Node, i int) string {
	for j := 0; item.Kind == yaml.MappingNode && j+1 < len(item.Content); j += 2 {
		if value := resolved(item.Content[j+1]); item.Content[j].Value == "name" && value.Kind == yaml.ScalarNode &&
			value.Value != "" {
			return fmt.Sprintf("%q", module.Shortened(value.Value))
		}
	}
	return fmt.Sprintf("%d", i+1)
}

func (c *Config) readTarget(p place, node *yaml.Node) (*Target, error) {
	t := &Target{Module: c.Modules[DefaultModule]}
	err := p.mapping(node, "the target", t.keys(p, c.Modules))
	if err == nil {
		p.warnOfVariables(node)
	}
	switch {
	case err != nil:
		return t, err
	case t.Name == "":
		return t, placedError{p.errorAt(node, "name is missing, want a short one such as name: payments")}
	case t.URL == nil:
		return t, placedError{p.errorAt(node, "url is missing, want one such as url: "+
			"https://api.example.com/v1/health")}
	case t.Module == nil:
		return t, placedError{p.errorAt(node, "module is missing, and there is no module %q, which is the default: "+
			"add module: NAME, or modules: {%s: {prober: http}}", DefaultModule, DefaultModule)}
	}
	t.ShownURL = t.Module.MaskURL(t.URL)
	return t, nil
}

// keys are the keys of a target, each with its reader.
func (t *Target) keys(p place, modules map[string]*module.Module) map[string]key {
	return map[string]key{
		"name":         checked(&t.Name, checkName),
		"min_interval": duration(&t.MinInterval),
		"histograms":   checked(&t.Histograms, checkHistograms),
		"labels":       func(value *yaml.Node) error { return t.readLabels(p, value) },
		"url": func(value *yaml.Node) error {
			if value.Kind != yaml.ScalarNode || isNull(value) {
				return errors.New("want a URL such as https://api.example.com/v1/health")
			}
			u, err := module.ParseURL(value.Value)
			if err == nil {
				_, err = module.ResolvableHost(u.Hostname())
			}
			if err == nil && (u.Hostname() == "http" || u.Hostname() == "https") && (strings.HasSuffix(u.Host, ":") ||
				strings.HasPrefix(u.Path, "//")) {
				err = fmt.Errorf("has the host %q, which is a scheme: want one such as https://api.example.com/v1/health",
					u.Hostname())
			}
			if err != nil || value.Value == "" {
				if err == nil {
					err = errors.New("is no text, want a URL such as https://api.example.com/v1/health")
				}
				return placedError{p.errorAt(value, "url %w%s", err, unreplaced(value))} // which shows no credentials
			}
			t.URL = u
			return nil
		},
		"module": func(value *yaml.Node) error {
			if value.Kind != yaml.ScalarNode {
				return errors.New("want the name of a module")
			}
			if t.Module = modules[value.Value]; t.Module == nil {
				if len(modules) == 0 {
					return errors.New("is unknown: no module is configured, want one such as modules: {api: {prober: http}}")
				}
				return fmt.Errorf("is unknown, want one of: %s", strings.Join(slices.Sorted(maps.Keys(modules)), ", "))
			}
			return nil
		},
	}
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("is empty, want a short name such as payments")
	case strings.TrimSpace(name) == "" || name == "." || name == "..": // /targets/.. is another page
		return errors.New("is no name that an address can have, want a short one such as payments")
	case len(name) > maxName:
		return fmt.Errorf("has %d bytes, want at most %d", len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unseen):
		return errors.New("has characters that cannot be shown, want a short name such as payments")
	}
	return nil
}

// unseen reports whether a character of a name is seen by nobody: an alert with the name as it is read would match
// nothing. Scripts and emoji need the two joiners.
func unseen(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Cf) && r != joiner && r != nonJoiner
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// reservedLabels are probe_target_info's own, and those that Prometheus, scraping or discovery, or its formats give a
// meaning: a target's instance or job would take the place of what scraping sets.
var reservedLabels = []string{"target", "url", "module", "le", "quantile", "instance", "job"}

func (t *Target) readLabels(p place, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("want a mapping from label names to texts")
	}
	keys := map[string]key{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		keys[name] = func(value *yaml.Node) error {
			switch {
			case !labelName.MatchString(name) || strings.HasPrefix(name, "__"):
				return placedError{p.errorAt(value, "%q is not a label's name, want letters, digits and _, not __ at the "+
					"beginning", name)}
			case slices.Contains(reservedLabels, name):
				return fmt.Errorf("is taken, want another name than %s", strings.Join(reservedLabels, ", "))
			case value.Kind != yaml.ScalarNode || !utf8.ValidString(value.Value):
				return errors.New("want a text")
			}
			text := value.Value
			if isNull(value) {
				text = ""
			}
			t.Labels = append(t.Labels, Label{name, text})
			return nil
		}
	}
	err := p.mapping(node, "labels", keys)
	slices.SortFunc(t.Labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return err
}

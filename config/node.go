package config

import (
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// A configuration is walked node by node, so that every error names file, line, module and key. An error is one line:
//
//	exporter.yml:7: module "api": timeout "5": missing unit, want a duration such as "5s"

// place is where in a file an error is reported.
type place struct {
	file  string
	path  string // `module "api": `, or empty
	notes *notes // takes warnings; nil: nobody reads them
}

// within is the same file, with what errors name beside its lines.
func (p place) within(format string, args ...any) place {
	return place{p.file, fmt.Sprintf(format, args...), p.notes}
}

// notes collects what there is to say about a configuration that loads.
type notes struct {
	warnings  []string // what is accepted, and probably not what was meant
	different []string // what is otherwise than in blackbox_exporter
}

// warn notes what is accepted and probably not meant, in the words of an error.
func (p place) warn(node *yaml.Node, format string, args ...any) {
	if p.notes != nil {
		p.notes.warnings = append(p.notes.warnings, p.errorAt(node, format, args...).Error())
	}
}

var lineEnds = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// errorAt returns an error at a node's line, in one line whatever a file name in it has.
func (p place) errorAt(node *yaml.Node, format string, args ...any) error {
	err := fmt.Errorf("%s:%d: %s%w", p.file, node.Line, p.path, fmt.Errorf(format, args...))
	if oneLine := lineEnds.Replace(err.Error()); oneLine != err.Error() {
		return errors.New(oneLine)
	}
	return err
}

// key is one key of a mapping: it reads its value into what it was made for. The error says what is wrong with the
// value.
type key func(value *yaml.Node) error

// placedError is an error that already names its place.
type placedError struct{ error }

// maxProblems is how many errors of a mapping are reported.
const maxProblems = 100

// mapping reads a mapping whose keys are known, each at most once. All errors are reported, not only the first, as far
// as anybody would read them.
func (p place) mapping(node *yaml.Node, what string, keys map[string]key) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		if name, found := unspaced(node, keys); found {
			return placedError{p.errorAt(node, "%s: the colon behind %s needs a space", what, name)}
		}
		return placedError{p.errorAt(node, "%s: want a mapping of keys, not %s", what, kindName(node))}
	}
	var problems []error
	var suggest *suggester
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if len(problems) == maxProblems {
			problems = append(problems, p.errorAt(name, "the rest of %s is not read after %d errors", what, maxProblems))
			break
		}
		if name.Kind != yaml.ScalarNode {
			problems = append(problems, p.errorAt(name, "a key of %s is %s, want a text", what, kindName(name)))
			continue
		}
		if line, twice := seen[name.Value]; twice {
			problems = append(problems, p.errorAt(name, "key %q is duplicated, first in line %d: remove one",
				module.Shortened(name.Value), line))
			continue
		}
		seen[name.Value] = name.Line
		read, known := keys[name.Value]
		if !known {
			if suggest == nil {
				suggest = newSuggester(what, keys)
			}
			problems = append(problems, p.errorAt(name, "unknown key %q in %s%s", module.Shortened(name.Value), what,
				suggest.suggestion(name.Value)))
			continue
		}
		if err := p.atKey(name, value, read); err != nil {
			problems = append(problems, err)
		}
	}
	return joined(problems)
}

// atKey reads one key's value and places its error.
func (p place) atKey(name, value *yaml.Node, read key) error {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	err := read(value)
	if err == nil {
		return nil
	}
	if _, placed := errors.AsType[placedError](err); placed {
		return err
	}
	return p.errorAt(value, "%s%s: %s%w%s", name.Value, quoted(value), unlike(value, err), err, unreplaced(value))
}

// unlike says what a value is that is no plain one, where the error says only what is wanted.
func unlike(value *yaml.Node, err error) string {
	switch {
	case !strings.HasPrefix(err.Error(), "want "):
		return ""
	case isNull(value):
		return "has no value, "
	case value.Kind != yaml.ScalarNode:
		return "is " + kindName(value) + ", "
	}
	return ""
}

// unspaced is the key of what is one text for want of a space, as in prober:http.
func unspaced(node *yaml.Node, keys map[string]key) (name string, found bool) {
	if node.Kind != yaml.ScalarNode {
		return "", false
	}
	name, _, colon := strings.Cut(node.Value, ":")
	_, known := keys[name]
	return name, colon && known
}

// joined is one error of several, each already placed.
func joined(problems []error) error {
	if err := errors.Join(problems...); err != nil {
		return placedError{err}
	}
	return nil
}

// quoted is a plain value as an error shows it, with a space before it. Secrets are read by keys that place their
// errors themselves.
func quoted(value *yaml.Node) string {
	if value.Kind != yaml.ScalarNode || isNull(value) {
		return ""
	}
	return fmt.Sprintf(" %q", module.Shortened(value.Value))
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return "a plain value" // which may be a secret in the wrong place
	}
}

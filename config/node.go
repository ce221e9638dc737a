package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// A configuration is walked node by node, so that every error names file, line, module and key. An error is one line:
//
//	exporter.yml:7: module "api": timeout "5": missing unit, want a duration such as "5s"

// place is where in a file an error is reported.
type place struct {
	file string
	path string // `module "api": `, or empty
}

// errorAt returns an error at a node's line.
func (p place) errorAt(node *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s%w", p.file, node.Line, p.path, fmt.Errorf(format, args...))
}

// key is one key of a mapping: it reads its value into what it was made for. The error says what is wrong with the value.
type key func(value *yaml.Node) error

// placedError is an error that already names its place.
type placedError struct{ error }

// mapping reads a mapping whose keys are known, each at most once. All errors are reported, not only the first.
func (p place) mapping(node *yaml.Node, what string, keys map[string]key) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return placedError{p.errorAt(node, "%s: want a mapping of keys, not %s", what, kindName(node))}
	}
	var problems []error
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if line, twice := seen[name.Value]; twice {
			problems = append(problems, p.errorAt(name, "key %q stands twice, first in line %d: remove one", name.Value, line))
			continue
		}
		seen[name.Value] = name.Line
		read, known := keys[name.Value]
		if !known {
			problems = append(problems, p.errorAt(name, "unknown key %q in %s%s", name.Value, what, suggestion(name.Value, keys)))
			continue
		}
		problems = append(problems, p.atKey(name, value, read))
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
	return p.errorAt(value, "%s%s: %w", name.Value, quoted(value), err)
}

// joined is one error of several, each already placed.
func joined(problems []error) error {
	if err := errors.Join(problems...); err != nil {
		return placedError{err}
	}
	return nil
}

// quoted is a plain value as an error shows it, with a space before it. Secrets are read by keys that place their errors themselves.
func quoted(value *yaml.Node) string {
	if value.Kind != yaml.ScalarNode || isNull(value) {
		return ""
	}
	return fmt.Sprintf(" %q", shortened(value.Value))
}

func shortened(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a plain value" // which may be a secret in the wrong place
	}
}

// suggestion names the known key nearest to an unknown one, or all of them if none is near and they are few.
func suggestion(name string, keys map[string]key) string {
	known := make([]string, 0, len(keys))
	best, least := "", 3
	for k := range keys {
		known = append(known, k)
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(known) > 8 {
		return ", see exporter.yml for the keys there are"
	}
	slices.Sort(known)
	return ", want " + strings.Join(known, ", ")
}

// distance is how many letters differ, after Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}

// into reads a value into a variable of the key's type.
func into[T any](to *T) key {
	return func(value *yaml.Node) error {
		if isNull(value) {
			return fmt.Errorf("has no value, want %s", typeName(reflect.TypeFor[T]()))
		}
		if err := value.Decode(to); err != nil {
			return fmt.Errorf("want %s", typeName(reflect.TypeFor[T]()))
		}
		return nil
	}
}

// checked reads a value like into and then checks it.
func checked[T any](to *T, check func(T) error) key {
	read := into(to)
	return func(value *yaml.Node) error {
		if err := read(value); err != nil {
			return err
		}
		return check(*to)
	}
}

func typeName(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Slice:
		return "a list, each " + typeName(t.Elem())
	default:
		return "a mapping of keys"
	}
}

// duration reads a duration such as 5s, 500ms or 1m30s.
func duration(to *time.Duration) key {
	return func(value *yaml.Node) error {
		if value.Kind != yaml.ScalarNode || isNull(value) {
			return errors.New(`want a duration such as "5s"`)
		}
		d, err := time.ParseDuration(value.Value)
		if err != nil {
			prometheus, err := model.ParseDuration(value.Value) // also d, w and y
			if err != nil {
				return fmt.Errorf(`%s, want a duration such as "5s"`, durationProblem(value.Value))
			}
			d = time.Duration(prometheus)
		}
		if d < 0 {
			return errors.New(`is negative, want a duration such as "5s"`)
		}
		*to = d
		return nil
	}
}

func durationProblem(s string) string {
	if s != "" && strings.Trim(s, "0123456789.") == "" {
		return "missing unit"
	}
	return "not a duration"
}

// strictly reads a mapping into a struct of another package by its yaml tags, without keys it does not know.
func strictly[T any](p place, what string, to *T) key {
	return func(value *yaml.Node) error {
		keys := map[string]key{}
		addFields(p, keys, reflect.ValueOf(to).Elem())
		return p.mapping(value, what, keys)
	}
}

// addFields adds a struct's keys; those of secret managers, which there are none of here, are left out.
func addFields(p place, keys map[string]key, v reflect.Value) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			addFields(p, keys, v.Field(i))
		case name == "" || strings.HasSuffix(name, "_ref"):
		case name == "tls_config":
			keys[name] = strictly(p, name, v.Field(i).Addr().Interface().(*promconfig.TLSConfig))
		default:
			keys[name] = field(v.Field(i))
		}
	}
}

// field reads a value into a struct's field.
func field(v reflect.Value) key {
	return func(value *yaml.Node) error {
		err := value.Decode(v.Addr().Interface())
		if _, ok := errors.AsType[*yaml.TypeError](err); ok {
			return fmt.Errorf("want %s", typeName(v.Type())) // yaml's own words name a line again, and Go's types
		}
		return err
	}
}

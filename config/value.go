package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// into reads a value into a variable of the key's type.
func into[T any](to *T) key {
	return func(value *yaml.Node) error {
		if isNull(value) {
			return fmt.Errorf("has no value, want %s", typeName(reflect.TypeFor[T]()))
		}
		if item := misfit(value, reflect.TypeFor[T]()); item != nil && item != value {
			return fmt.Errorf("the item%s is not %s, want %s%s", quoted(item), typeName(reflect.TypeFor[T]().Elem()),
				typeName(reflect.TypeFor[T]()), unquoted(item, reflect.TypeFor[T]().Elem()))
		}
		if err := value.Decode(to); err != nil || misfit(value, reflect.TypeFor[T]()) != nil {
			return fmt.Errorf("want %s%s%s", typeName(reflect.TypeFor[T]()), unquoted(value, reflect.TypeFor[T]()),
				unbracketed(value, reflect.TypeFor[T]()))
		}
		return nil
	}
}

// unquoted says that a value is in quotes which makes a text of it.
func unquoted(value *yaml.Node, t reflect.Type) string {
	if t.Kind() != reflect.String && t.Kind() != reflect.Slice && value.Kind == yaml.ScalarNode &&
		value.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return ", without quotes"
	}
	return ""
}

// unbracketed says that one value is where a list is wanted.
func unbracketed(value *yaml.Node, t reflect.Type) string {
	if t.Kind() == reflect.Slice && value.Kind == yaml.ScalarNode && misfit(value, t.Elem()) == nil {
		return ": put [ ] around it"
	}
	return ""
}

// misfit finds the value, or the item of a list, that yaml would bend into a type: 200.5 into 200, nothing into no
// item.
func misfit(value *yaml.Node, t reflect.Type) *yaml.Node {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case t.Kind() == reflect.Slice && value.Kind == yaml.SequenceNode:
		for _, item := range value.Content {
			if wrong := misfit(item, t.Elem()); wrong != nil {
				return wrong
			}
		}
	case t.Kind() == reflect.Slice, value.Kind != yaml.ScalarNode, isNull(value):
		return value
	case t.Kind() == reflect.Int && value.ShortTag() != "!!int":
		return value
	}
	return nil
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
	case t == reflect.TypeFor[promconfig.URL]():
		return "a URL"
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return "a mapping from names to texts"
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Slice:
		return "a mapping from names to lists of texts"
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

// withUnits is what durations are made of.
var withUnits = regexp.MustCompile(`^([0-9]+(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h|d|w|y))+$`)

func durationProblem(s string) string {
	switch {
	case s != "" && strings.Trim(s, "0123456789.") == "":
		return "missing unit"
	case withUnits.MatchString(strings.ReplaceAll(s, " ", "")) && strings.Contains(s, " "):
		return "has a space"
	case withUnits.MatchString(s):
		return "is too long or has its units in another order than y, w, d, h, m, s"
	}
	return "not a duration"
}

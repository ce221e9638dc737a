package config

import (
	"errors"
	"fmt"
	"net/textproto"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/units"
	"gopkg.in/yaml.v3"

	"errno_exporter/config/compile"
	"errno_exporter/prober/module"
)

// byteSize reads a size such as 10MB or 1KiB; units are powers of 1024 as in blackbox_exporter. 0 means no limit.
func byteSize(to *int64) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.ScalarNode || isNull(node) {
			return errors.New(`want a size such as "10MB"`)
		}
		if node.Value == "0" {
			*to = 0
			return nil
		}
		size, err := units.ParseBase2Bytes(node.Value)
		if err != nil {
			return errors.New(`want a size such as "10MB", or 0 for no limit`)
		}
		*to = max(0, int64(size)) // a negative one means no limit, as in blackbox_exporter
		return nil
	}
}

// regexps reads a list of expressions, RE2 and unanchored.
func regexps(p place, to *[]*regexp.Regexp) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.SequenceNode {
			return fmt.Errorf("want a list of regular expressions%s", unbracketed(node, reflect.TypeFor[[]string]()))
		}
		for _, item := range node.Content {
			item = resolved(item)
			re, err := regularExpression(item)
			if err != nil {
				return placedError{p.errorAt(item, "regexp%s: %s%w", quoted(item), unlike(item, err), err)}
			}
			*to = append(*to, re)
		}
		return nil
	}
}

func regularExpression(node *yaml.Node) (*regexp.Regexp, error) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		return nil, errors.New("want a regular expression")
	}
	re, err := regexp.Compile(node.Value)
	if err != nil {
		return nil, fmt.Errorf("%s, want RE2 syntax", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// headerMatches reads a list of {header, regexp, allow_missing}.
func headerMatches(p place, to *[]module.HeaderMatch) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.SequenceNode {
			return errors.New("want a list of {header, regexp, allow_missing}")
		}
		for _, item := range node.Content {
			var match module.HeaderMatch
			err := p.mapping(item, "a header rule", unlessNull(map[string]key{
				"header": checked(&match.Header, func(s string) error { return module.CheckHeader(s, "") }),
				"regexp": func(v *yaml.Node) (err error) {
					match.Regexp,
						err = regularExpression(v)
					return err
				},
				"allow_missing": into(&match.AllowMissing),
			}))
			if err != nil {
				return err
			}
			if match.Header == "" || match.Regexp == nil || match.Regexp.String() == "" {
				return placedError{p.errorAt(item, "a header rule needs both header and regexp")}
			}
			match.Header = textproto.CanonicalMIMEHeaderKey(match.Header)
			*to = append(*to, match)
		}
		return nil
	}
}

// expression reads a CEL expression.
func expression(to **module.CEL) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.ScalarNode || isNull(node) {
			return errors.New("want a CEL expression")
		}
		compiled, err := compile.Expression(node.Value)
		if err != nil {
			return err
		}
		*to = compiled
		return nil
	}
}

package module

import (
	"iter"
	"net/url"
	"slices"
	"strings"
)

// parameter is a part of a URL's query, as it is there.
type parameter struct {
	name, equals, value string
	end                 string // what is between it and the next one
}

// parametersOf are the parameters of a query. They are separated by & for all servers, and by ; for some.
func parametersOf(query string) iter.Seq[parameter] {
	return func(yield func(parameter) bool) {
		for query != "" {
			var p parameter
			pair := query
			if i := strings.IndexAny(query, "&;"); i >= 0 {
				pair, p.end = query[:i], query[i:i+1]
			}
			query = query[len(pair)+len(p.end):]
			p.name, p.value, _ = strings.Cut(pair, "=")
			p.equals = pair[len(p.name) : len(pair)-len(p.value)]
			if !yield(p) {
				return
			}
		}
	}
}

// secret reports whether a parameter's value is not shown: its name sounds like a secret's or is given, or the value is
// a URL with userinfo or with such a parameter, and so on to a depth.
func (p *parameter) secret(names []string, depth int) bool {
	if p.equals == "" {
		return false
	}
	name, err := url.QueryUnescape(p.name)
	if err != nil || SoundsSecret(name) || slices.Contains(names, name) {
		return true
	}
	link := p.link()
	if link == nil || depth == 0 {
		return false
	}
	for inner := range parametersOf(link.RawQuery) {
		if inner.secret(names, depth-1) {
			return true
		}
	}
	return link.User != nil
}

// link is the URL that the value is, where it is one with something beside host and path; nil where it is none.
func (p *parameter) link() *url.URL {
	if !strings.ContainsAny(p.value, "?@%") {
		return nil
	}
	value, err := url.QueryUnescape(p.value)
	if err != nil || !strings.ContainsAny(value, "?@") {
		return nil
	}
	link, err := url.Parse(value)
	if err != nil {
		return nil
	}
	return link
}

// secrets are those of the value: the value itself, and what is secret in the URL that it is.
func (p *parameter) secrets(names []string, depth int) []string {
	if !p.secret(names, depth) {
		return nil
	}
	var all []string
	if value, err := url.QueryUnescape(p.value); err == nil {
		all = append(all, value)
	}
	if link := p.link(); link != nil && depth > 0 {
		all = append(all, secretsOfURL(link, names, depth-1)...)
	}
	return all
}

package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/prober/module"
)

// suggestion names the known key that was meant instead of an unknown one: another section's of the same name, the
// nearest, or all of them if they are few.
func suggestion(name, what string, keys map[string]key) string {
	if section := sectionOf(name, what); section != "" {
		return ": it belongs " + section
	}
	known := slices.Sorted(maps.Keys(keys))
	if best := likeliest(name, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(known) > 8 {
		return ", see exporter.yml for the keys there are"
	}
	return ", want " + strings.Join(known, ", ")
}

// likeliest is the known key that an unknown one stands for: in another way of writing, with a slip of two letters, or
// cut off. It is empty if there is none, or more than one of the last.
func likeliest(name string, known []string) string {
	plain := plainly(name)
	best, least := "", min(3, (len(plain)+1)/2)
	for _, k := range known {
		if d := distance(plain, plainly(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return best
	}
	for _, holds := range []func(string, string) bool{strings.HasPrefix, strings.Contains} {
		longer := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !holds(plainly(k), plain) })
		if len(longer) == 1 && len(plain) > 3 {
			return longer[0]
		}
	}
	return ""
}

// plainly is a key without what differs between ways of writing: valid_status_codes, validStatusCodes,
// valid-status-codes.
func plainly(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// sectionOf says where a key belongs that was put elsewhere; empty if it is not known, or may be in several places.
func sectionOf(name, what string) string {
	h := &httpKeys{Module: module.New("")}
	tls := map[string]key{}
	addFields(place{}, tls, reflect.ValueOf(new(promconfig.TLSConfig)).Elem())
	has := func(keys map[string]key) bool { _, known := keys[name]; return known }
	switch {
	case what != "http" && what != "the module" && what != "the target" && what != "the configuration":
		return ""
	case what != "the module" && (name == "prober" || name == "timeout"):
		return "to a module, beside http"
	case what == "the target" && name == "http":
		return "to a module"
	case what != "http" && has(h.keys()):
		return "under http of a module"
	case has(tls):
		return "under tls_config of http"
	}
	return ""
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

// DidYouMean names the target of the configuration whose name is nearest to one that is not there; empty if none is
// near.
func (c *Config) DidYouMean(target string) string {
	names := make([]string, len(c.Targets))
	for i, t := range c.Targets {
		names[i] = t.Name
	}
	return nearest(target, names)
}

// ModuleLike is DidYouMean for modules.
func (c *Config) ModuleLike(name string) string {
	return nearest(name, slices.Collect(maps.Keys(c.Modules)))
}

// nearest is the name that differs least from another one, by at most two letters and not by half of it.
func nearest(name string, names []string) string {
	best, least := "", min(3, (len(name)+1)/2)
	slices.Sort(names)
	for _, other := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(other)); d < least {
			best, least = other, d
		}
	}
	return best
}

package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/prober/module"
)

// suggester names the known key of a mapping that was meant instead of an unknown one. What it compares is made once
// for all unknown keys of the mapping: there may be thousands.
type suggester struct {
	what         string
	known, plain []string // the keys, sorted; and each without what differs between ways of writing
}

func newSuggester(what string, keys map[string]key) *suggester {
	s := &suggester{what: what, known: slices.Sorted(maps.Keys(keys))}
	for _, k := range s.known {
		s.plain = append(s.plain, plainly(k))
	}
	return s
}

// suggestion names the key that was meant: another section's of the same name, the nearest, or all of them if they are
// few.
func (s *suggester) suggestion(name string) string {
	if section := sectionOf(name, s.what); section != "" {
		return ": it belongs " + section
	}
	if best := s.likeliest(name); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(s.known) > 8 {
		return ", see exporter.yml for the keys there are"
	}
	return ", want " + strings.Join(s.known, ", ")
}

// likeliest is the known key that an unknown one stands for: in another way of writing, with a slip of two letters, cut
// off, or with words left out. It is empty if there is none, or more than one of the last two.
func (s *suggester) likeliest(name string) string {
	plain := plainly(name)
	best, least := "", min(3, (len(plain)+1)/2)
	for i, k := range s.plain {
		if d := distance(plain, k, least); d < least {
			best, least = s.known[i], d
		}
	}
	if best != "" {
		return best
	}
	for _, holds := range []func(string, string) bool{strings.HasPrefix, strings.Contains} {
		longer := ""
		for i, k := range s.plain {
			if holds(k, plain) && longer != "" {
				longer = ""
				break
			} else if holds(k, plain) {
				longer = s.known[i]
			}
		}
		if longer != "" && len(plain) > 3 {
			return longer
		}
	}
	return s.withWords(strings.Split(name, "_"))
}

// withWords is the shortest known key that has all words, three at least, in their order: fail_if_matches_regexp, which
// blackbox_exporter had until 0.16, is fail_if_body_matches_regexp.
func (s *suggester) withWords(words []string) string {
	best := ""
	for _, k := range s.known {
		rest := words
		for word := range strings.SplitSeq(k, "_") {
			if len(rest) > 0 && word == rest[0] {
				rest = rest[1:]
			}
		}
		if len(rest) == 0 && len(words) > 2 && (best == "" || len(k) < len(best)) {
			best = k
		}
	}
	return best
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

// plainly is a key without what differs between ways of writing: valid_status_codes, validStatusCodes,
// valid-status-codes.
func plainly(name string) string { return strings.ToLower(separators.Replace(name)) }

// sections are where the keys belong that are in one place alone, made when there is the first unknown key.
var sections struct {
	once sync.Once
	of   map[string]string
}

func findSections() {
	found := map[string]string{}
	add := func(section string, keys map[string]key) {
		for name := range keys {
			found[name] = section
		}
	}
	for _, part := range []struct {
		name   string
		fields any
	}{
		{"oauth2", new(promconfig.OAuth2)}, {"authorization", new(promconfig.Authorization)},
		{"basic_auth", new(promconfig.BasicAuth)}, {"tls_config", new(promconfig.TLSConfig)},
	} {
		keys := map[string]key{}
		addFields(place{}, keys, reflect.ValueOf(part.fields).Elem())
		add("under "+part.name+" of http", keys)
	}
	delete(found, "type") // a word for many things
	add("under probe_policy, beside modules", new(Policy).keys())
	h := &httpKeys{Module: module.New("")}
	add(underHTTP, h.keys())
	for _, name := range []string{"targets", "target_files", "control_targets", "observe", "probe_policy"} {
		found[name] = besideModules
	}
	sections.of = found
}

const (
	underHTTP     = "under http of a module"
	besideModules = "at the top, beside modules"
)

// sectionOf says where a key belongs that was put elsewhere; empty if it is not known, or may be in several places.
func sectionOf(name, what string) string {
	sections.once.Do(findSections)
	section := sections.of[name]
	switch {
	case what != "http" && what != "the module" && what != "the target" && what != "the configuration":
		return ""
	case what != "the module" && (name == "prober" || name == "timeout"):
		return "to a module, beside http"
	case what == "the target" && name == "http":
		return "to a module"
	case section == besideModules && what == "the target":
		return ""
	case section == underHTTP && what == "http":
		return ""
	}
	return section
}

// distance is how many letters differ, after Levenshtein; or less, if it is no less.
func distance(a, b string, less int) int {
	if len(a)-len(b) >= less || len(b)-len(a) >= less {
		return less
	}
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
		if d := distance(strings.ToLower(name), strings.ToLower(other), least); d < least {
			best, least = other, d
		}
	}
	return best
}

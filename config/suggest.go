package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

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

package config

import (
	"fmt"
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

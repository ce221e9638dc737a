package cause

import (
	"os"
	"regexp"
	"testing"
)

// factNames are the facts' names, from the source.
func factNames(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("fact.go")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)\n\tfails +fact = iota.*?\n\)`).Find(source)
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)`).FindAllSubmatch(block, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) != int(numFacts)+1 || names[endOfWords] != "endOfWords" {
		t.Fatalf("fact.go: read %d names of %d facts", len(names), numFacts)
	}
	return names
}

package clients

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

var block = regexp.MustCompile("(?ms)^```[a-z]+\n(.*?)^```$")

// The page shows each program whole, and nothing else.
func TestPageShowsThePrograms(t *testing.T) {
	page, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown, kept []string
	for _, match := range block.FindAllStringSubmatch(string(page), -1) {
		shown = append(shown, match[1])
	}
	entries, err := os.ReadDir(sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(sources + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, string(text))
		if !slices.Contains(shown, string(text)) {
			t.Errorf("docs/clients.md does not show %s as it is", sources+entry.Name())
		}
	}
	if len(shown) != len(kept) {
		t.Errorf("docs/clients.md has %d programs, docs/clients has %d", len(shown), len(kept))
	}
	for _, c := range clients {
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == c.source }) {
			t.Errorf("there is no %s", sources+c.source)
		}
	}
	if len(kept) != len(clients)+1 {
		t.Errorf("%d programs, of which the tests run %d: want all but .NET's", len(kept), len(clients))
	}
}

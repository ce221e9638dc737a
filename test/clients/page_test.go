package clients

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notRun are the programs that no test runs, and why. The page says so.
var notRun = map[string]string{"Client.cs": "This one has not been run**, by the tests or otherwise: Debian has no .NET"}

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
	for _, entry := range entries {
		why, left := notRun[entry.Name()]
		run := slices.ContainsFunc(clients, func(c client) bool { return c.source == entry.Name() })
		if run == left {
			t.Errorf("%s: run by the tests %t, listed as not run %t", entry.Name(), run, left)
		}
		if left && !strings.Contains(string(page), why) {
			t.Errorf("docs/clients.md does not say of %s: %s", entry.Name(), why)
		}
	}
}

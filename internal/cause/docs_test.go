package cause

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table in docs/causes.md instead of comparing with them")

// TestDocs keeps the table in docs/causes.md that of the program.
func TestDocs(t *testing.T) {
	causes := "| cause | party | what it is | what to do |\n|---|---|---|---|\n"
	for _, row := range Causes {
		causes += fmt.Sprintf("| `%s` | %s | %s | %s |\n", row.Cause, row.Party, row.Sentence, row.Advice)
	}
	const name = "../../docs/causes.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := string(page)
	marks := regexp.MustCompile(`(?s)(<!-- causes -->\n).*(<!-- end of causes -->)`)
	if !marks.MatchString(want) {
		t.Fatal("docs/causes.md has no place for the causes")
	}
	want = marks.ReplaceAllString(want, "${1}"+strings.ReplaceAll(causes, "$", "$$")+"${2}")
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) {
		t.Error("docs/causes.md has other causes than internal/cause; run: go test ./internal/cause -run TestDocs " +
			"-update")
	}
}

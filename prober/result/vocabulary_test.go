package result

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/failures.md")

// TestDocsHaveTheVocabulary keeps the tables of phases and reasons in docs/failures.md equal to the program's.
func TestDocsHaveTheVocabulary(t *testing.T) {
	const path = "../../docs/failures.md"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(content)
	want := replaceBlock(t, replaceBlock(t, got, "phases", phaseTable()), "reasons", reasonTable())
	want = replaceBlock(t, want, "gateways", gatewayTable())
	if got == want {
		return
	}
	if !*update {
		t.Fatal("docs/failures.md's tables differ from prober/result; run: go test ./prober/result -run " +
			"Vocabulary -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func phaseTable() string {
	var b strings.Builder
	b.WriteString("| phase | meaning |\n|---|---|\n")
	for _, row := range Phases {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row.Phase, row.Meaning)
	}
	return b.String()
}

func reasonTable() string {
	var b strings.Builder
	b.WriteString("| reason | phases | what it means and where to look first |\n|---|---|---|\n")
	for _, row := range Reasons {
		phases := make([]string, len(row.Phases))
		for i, p := range row.Phases {
			phases[i] = string(p)
		}
		list := strings.Join(phases, " ")
		if len(phases) == len(Phases) {
			list = "any"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.Reason, list, row.Sentence)
	}
	return b.String()
}

// gatewayTable has who may state something about its upstream, and what.
func gatewayTable() string {
	var b strings.Builder
	b.WriteString("| label | values |\n|---|---|\n| `by` |")
	for _, g := range Gateways {
		fmt.Fprintf(&b, " `%s`", g.By)
	}
	for _, stage := range []struct {
		of   Stage
		text string
	}{{BehindGateway, "behind the gateway"}, {AtGateway, "the gateway itself fails"},
		{RequestError, "it refuses the request as malformed"}, {RequestDenied, "it refuses by a rule"}} {
		fmt.Fprintf(&b, " |\n| `reason`, %s |", stage.text)
		for _, r := range UpstreamReasons {
			if r.Stage == stage.of {
				fmt.Fprintf(&b, " `%s`", r.Reason)
			}
		}
	}
	b.WriteString(" |\n")
	return b.String()
}

// replaceBlock replaces what stands between <!-- name --> and <!-- /name -->.
func replaceBlock(t *testing.T, text, name, block string) string {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatalf("docs/failures.md has no block %q", name)
	}
	return text[:i+len(begin)] + block + text[j:]
}

// TestVocabularyIsSound holds what every row of the tables must satisfy.
func TestVocabularyIsSound(t *testing.T) {
	seen := map[Reason]bool{}
	for _, row := range Reasons {
		if seen[row.Reason] {
			t.Errorf("reason %s is duplicated", row.Reason)
		}
		seen[row.Reason] = true
		if row.Short == "" || row.Source == "" || len(row.Phases) == 0 || !strings.HasSuffix(row.Sentence, ".") {
			t.Errorf("reason %s is not complete: %+v", row.Reason, row)
		}
		for _, p := range row.Phases {
			if p.While() == "" {
				t.Errorf("phase %s has no words", p)
			}
		}
	}
}

package monitoring

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTable keeps the table of docs/alerts.md equal to the rules and the runbook: a row for each alert and severity.
func TestTable(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	text, seen := "| alert | severity | for | keeps firing for | meaning |\n|---|---|---|---|---|\n", map[string]bool{}
	for _, a := range loadAlerts(t) {
		severity := regexp.MustCompile(`critical|warning|info`).FindString(a.Labels["severity"])
		if seen[a.Alert+severity] {
			continue
		}
		seen[a.Alert+severity] = true
		_, anchor, _ := strings.Cut(a.Annotations["runbook_url"], "#")
		section := regexp.MustCompile(`(?mi)^## ` + anchor + `\n\n((?:.+\n)+)`).FindStringSubmatch(string(runbook))
		if section == nil {
			t.Fatalf("%s: runbook.md has no section %q", a.Alert, anchor)
		}
		text += fmt.Sprintf("| [%s](../monitoring/runbook.md#%s) | %s | %s | %s | %s |\n", a.Alert, anchor, severity, a.For,
			a.KeepFiringFor, strings.ReplaceAll(firstSentence(section[1]), "|", `\|`))
	}
	const file = "../docs/alerts.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)(<!-- alerts -->\n\n).*(\n<!-- end of alerts -->)`)
	want := table.ReplaceAllString(string(page), "${1}"+strings.ReplaceAll(text, "$", "$$")+"${2}")
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) || !table.Match(page) {
		t.Error("docs/alerts.md has other alerts than alerts.yml; run: go test ./monitoring -update")
	}
}

// firstSentence is the first sentence of a paragraph, on one line.
func firstSentence(paragraph string) string {
	line := strings.Join(strings.Fields(paragraph), " ")
	if end := strings.Index(line, ". "); end > 0 {
		return line[:end+1]
	}
	return line
}

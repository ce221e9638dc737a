package monitoring

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"text/template"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

var update = flag.Bool("update", false, "write the words of alerts.yml anew")

// block is a marked place of alerts.yml that the program's words fill: what they are, and which reasons.
var block = regexp.MustCompile(`(?s)\{\{/\* (\S+)( \S+)? \*/(?: -)?\}\}.*?\{\{(?:- )?/\* end \*/\}\}`)

// TestWords keeps the sentences of alerts.yml equal to the program's.
func TestWords(t *testing.T) {
	content, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := block.ReplaceAllStringFunc(string(content), func(found string) string {
		match := block.FindStringSubmatch(found)
		return words(match[1], strings.TrimSpace(match[2]))
	})
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatal("alerts.yml has other words than prober/result/reasons.go; run: go test ./monitoring -update")
	}
	if err := os.WriteFile("alerts.yml", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// words are a block: a choice between the words of all reasons that begin with a prefix, or of all phases.
func words(what, prefix string) string {
	marker := what
	if prefix != "" {
		marker += " " + prefix
	}
	lines := []string{"{{/* " + marker + " */ -}}"}
	choose := "{{- if eq . %q }}%s"
	add := func(value, text string) {
		lines = append(lines, fmt.Sprintf(choose, value, text))
		choose = "{{- else if eq . %q }}%s"
	}
	if what == "phases:while" {
		for _, p := range result.Phases {
			text := " while " + p.While
			switch p.Phase {
			case result.Validate:
				text = ""
			case result.Resolve:
				text = `{{ if not (match "^dns[.]" $labels.reason) }}` + text + "{{ end }}"
			}
			add(string(p.Phase), text)
		}
	} else {
		for _, r := range result.Reasons {
			if !strings.HasPrefix(string(r.Reason), prefix) || r.Reason == result.Abandoned {
				continue
			}
			text := map[string]string{"reasons:short": r.Short, "reasons:sentence": r.Sentence}[what]
			add(string(r.Reason), text)
		}
	}
	lines = append(lines, "{{- else }}{{ . }}", "{{- end }}", "{{- /* end */}}")
	return strings.Join(lines, "\n            ")
}

// TestSummary renders ErrnoTargetFailing's summary for everything that a probe can end with: it is the program's own
// sentence.
func TestSummary(t *testing.T) {
	var text string
	for _, a := range loadAlerts(t) {
		if a.Alert == "ErrnoTargetFailing" {
			text = a.Annotations["summary"]
		}
	}
	functions := template.FuncMap{"match": regexp.MatchString}
	summary, err := template.New("").Funcs(functions).Parse("{{ $labels := .Labels }}" + text)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range result.Reasons {
		for _, phase := range r.Phases {
			for _, errno := range []syscall.Errno{0, syscall.ECONNRESET} {
				if r.Reason == result.Abandoned {
					continue
				}
				f := result.Failure{Phase: phase, Reason: r.Reason, Errno: errno}
				labels := map[string]string{"target": "payments", "phase": string(phase), "reason": string(r.Reason)}
				if errno != 0 {
					labels["errno"] = result.ErrnoName(errno)
				}
				var got strings.Builder
				if err := summary.Execute(&got, map[string]any{"Labels": labels}); err != nil {
					t.Fatal(err)
				}
				if want := "payments: " + f.Sentence(); got.String() != want {
					t.Errorf("summary of %v:\n got %q\nwant %q", labels, got.String(), want)
				}
			}
		}
	}
}

// TestCauses keeps the paragraphs on causes in the runbook equal to the program's: one for each.
func TestCauses(t *testing.T) {
	text := ""
	for _, row := range cause.Causes {
		text += fmt.Sprintf("### %s\n\nParty: %s. %s %s Query: `probe_cause_info{cause=%q}`; the evidence is on the "+
			"status page and in the record.\n\n",
			row.Cause, row.Party, row.Sentence, row.Advice, row.Cause)
	}
	page, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := regexp.MustCompile(`(?s)(<!-- causes -->\n\n).*(<!-- end of causes -->)`)
	want := paragraphs.ReplaceAllString(string(page), "${1}"+strings.ReplaceAll(text, "$", "$$")+"${2}")
	if *update {
		if err := os.WriteFile("runbook.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) || !paragraphs.Match(page) {
		t.Error("runbook.md has other causes than internal/cause; run: go test ./monitoring -update")
	}
}

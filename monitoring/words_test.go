package monitoring

import (
	"encoding/json"
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

var update = flag.Bool("update", false, "write the words of the mixin and the runbook")

// TestWords keeps the sentences of the mixin equal to the program's.
func TestWords(t *testing.T) {
	type phase struct {
		Phase  string `json:"phase"`
		During string `json:"during"`
	}
	type reason struct {
		Reason   string `json:"reason"`
		Short    string `json:"short"`
		Sentence string `json:"sentence"`
	}
	var words struct {
		Phases  []phase  `json:"phases"`
		Reasons []reason `json:"reasons"`
	}
	for _, p := range result.Phases {
		words.Phases = append(words.Phases, phase{string(p.Phase), during(p.Phase)})
	}
	for _, r := range result.Reasons {
		if r.Reason != result.Abandoned {
			words.Reasons = append(words.Reasons, reason{string(r.Reason), r.Short, r.Sentence})
		}
	}
	want, err := json.MarshalIndent(words, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	const file = "mixin/words.json"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s has other words than prober/result; run: go test ./monitoring -update && go test -C tools/mixin "+
			"./... -update", file)
	}
}

// during is a phase in the words of a summary.
func during(phase result.Phase) string {
	for _, p := range result.Phases {
		if p.Phase == phase && phase != result.Validate {
			return " while " + p.While
		}
	}
	return ""
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
				labels := map[string]string{"target": "payments", "phase": string(phase), "reason": string(r.Reason),
					"short": r.Short, "during": during(phase)}
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

package record

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files instead of comparing with them")
	goleak.VerifyTestMain(m)
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// A sentence is wrapped where the reader's lines end, and a bar takes no more than a line.
func TestTextInColumns(t *testing.T) {
	for _, record := range resulttest.Records() {
		for _, width := range []Columns{36, 40, 60, 80, 100} {
			got := string(width.Text(&record.Result, new(module.Module), cause.Findings{}, nil,
				metrics.NewExposition()))
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(line) - 1; strings.Contains(line, "  |") && n > int(width) {
					t.Errorf("%s in %d columns: %q has %d", record.Name, width, line, n)
				}
			}
			if record.Result.Failure == nil {
				continue
			}
			want := wrap("", "", record.Result.Failure.Reason.Info().Sentence, int(width))
			if !strings.Contains(got, "\n"+strings.Join(want, "\n")+"\n") {
				t.Errorf("%s in %d columns lacks %q:\n%s", record.Name, width, want, got)
			}
		}
	}
}

// Every record gives exactly the page in its golden file: printable, and without the secrets of the records.
func TestText(t *testing.T) {
	module := &module.Module{Name: "api", IPProtocolFallback: true, Header: http.Header{}}
	for _, record := range resulttest.Records() {
		t.Run(record.Name, func(t *testing.T) {
			got := string(Text(&record.Result, module, cause.Findings{}, nil,
				exposed(&record.Result, module)))
			file := filepath.Join("testdata", record.Name+".txt")
			if updating() {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("Text(%s) (-want +got):\n%s", record.Name, diff)
			}
			if i := strings.IndexFunc(got, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 ||
				!utf8.ValidString(got) {
				t.Errorf("Text(%s) is not printable at byte %d", record.Name, i)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("Text(%s) shows a secret:\n%s", record.Name, got)
			}
		})
	}
}

func exposed(r *result.Result, m *module.Module) *metrics.Exposition {
	e := metrics.NewExposition()
	e.Probe(r, m)
	return e
}

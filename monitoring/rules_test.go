package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// alert is a rule of alerts.yml.
type alert struct {
	Alert         string
	Expr          string
	For           string
	KeepFiringFor string `yaml:"keep_firing_for"`
	Labels        map[string]string
	Annotations   map[string]string
}

func loadAlerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	readYAML(t, "alerts.yml", &file)
	var all []alert
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Every alert keeps to the conventions, is explained in the runbook, and has unit tests in which it fires, its neighbours
// do not, and it resolves.
func TestAlertsKeepToTheRules(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := testedAlerts(t)
	for _, a := range loadAlerts(t) {
		if !strings.HasPrefix(a.Alert, "Errno") {
			t.Errorf("%s: its name does not begin with Errno", a.Alert)
		}
		if a.For == "" || a.KeepFiringFor == "" {
			t.Errorf("%s: for %q, keep_firing_for %q, want both", a.Alert, a.For, a.KeepFiringFor)
		}
		severity := strings.TrimSuffix(strings.TrimPrefix(a.Labels["severity"], `{{ or $labels.severity "`), `" }}`)
		if s := severity; !slices.Contains([]string{"critical", "warning", "info"}, s) {
			t.Errorf("%s: severity %q, want critical, warning or info", a.Alert, s)
		}
		if !strings.HasSuffix(a.Labels["vantage"], `$externalLabels.vantage "default" }}`) {
			t.Errorf("%s: vantage %q may be empty", a.Alert, a.Labels["vantage"])
		}
		for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
			if a.Annotations[name] == "" {
				t.Errorf("%s: no annotation %s", a.Alert, name)
			}
		}
		_, anchor, _ := strings.Cut(a.Annotations["runbook_url"], "#")
		if !regexp.MustCompile(`(?mi)^## ` + anchor + `$`).Match(runbook) {
			t.Errorf("%s: runbook.md has no section %q", a.Alert, anchor)
		}
		if got := seen[a.Alert]; got != (tested{true, true, true}) {
			t.Errorf("%s: the tests see %+v, want all of them", a.Alert, got)
		}
	}
}

// The rules pass promtool's checks and their unit tests, with the oldest promtool that is supported and the newest.
func TestRules(t *testing.T) {
	for _, row := range []struct{ program, how string }{{"promtool", "apt-get install prometheus"},
		{"promtool-3", "make tools"}} {
		t.Run(row.program, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(row.program)
			if err != nil {
				path, err = exec.LookPath("../.tools/" + row.program)
			}
			if err != nil {
				t.Skipf("%s is not there: %s", row.program, row.how)
			}
			tests, err := filepath.Glob("tests/*.yml")
			if err != nil || len(tests) == 0 {
				t.Fatalf("no tests: %v", err)
			}
			for _, args := range [][]string{{"check", "rules", "recording.yml", "alerts.yml"},
				append([]string{"test", "rules"}, tests...)} {
				command := exec.Command(path, args...)
				// A third of its time is garbage collection.
				command.Env = append(os.Environ(), "GOGC=off", "GOMEMLIMIT=700MiB")
				if out, err := command.CombinedOutput(); err != nil {
					t.Errorf("%s %q: %v\n%s", row.program, args, err, out)
				}
			}
		})
	}
}

package prometheus

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// prefix is before the names of Grafana's rules where they are evaluated beside those of Prometheus.
const prefix = "Grafana"

// managedRule is a rule of monitoring/grafana/alerting/rules.yml.
type managedRule struct {
	Title         string
	Data          []struct{ Model struct{ Expr string } }
	For           string
	KeepFiringFor string `yaml:"keepFiringFor"`
	Labels        map[string]string
	Annotations   map[string]string
}

// name is the alert's: titles of two rules for one alert differ in what is in brackets.
func (r managedRule) name() string {
	name, _, _ := strings.Cut(r.Title, " (")
	return name
}

// scenario is a test of monitoring/tests.
type scenario struct {
	Name        string
	Interval    string
	InputSeries []struct{ Series, Values string } `yaml:"input_series"`
	Alerts      []struct {
		EvalTime string `yaml:"eval_time"`
	} `yaml:"alert_rule_test"`
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

func managedRules(t *testing.T) []managedRule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []managedRule }
	}
	readYAML(t, "../../monitoring/grafana/alerting/rules.yml", &file)
	var all []managedRule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no rules")
	}
	return all
}

// groupName is the group that has one of Grafana's rules where they are evaluated beside those of Prometheus.
func groupName(i int) string { return fmt.Sprintf("grafana %d", i) }

// asPrometheus writes Grafana's rules as rules of Prometheus: query and condition, for, keepFiringFor and labels.
func asPrometheus(t *testing.T, managed []managedRule) string {
	t.Helper()
	type rule struct {
		Alert  string            `yaml:"alert"`
		Expr   string            `yaml:"expr"`
		For    string            `yaml:"for"`
		Keep   string            `yaml:"keep_firing_for"`
		Labels map[string]string `yaml:"labels"`
	}
	type group struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	var groups []group
	for i, m := range managed {
		r := rule{prefix + m.name(), m.Data[0].Model.Expr, m.For, m.KeepFiringFor, map[string]string{}}
		for name, text := range m.Labels {
			r.Labels[name] = strings.ReplaceAll(text, ".Labels.", "$labels.")
		}
		groups = append(groups, group{Name: groupName(i), Rules: []rule{r}})
	}
	text, err := yaml.Marshal(struct {
		Groups []group `yaml:"groups"`
	}{groups})
	path := filepath.Join(t.TempDir(), "grafana.yml")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A rule of Grafana is the expression of Prometheus' rule, with more labels at most, less what Alertmanager mutes.
func TestGrafanaLeavesOut(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	readYAML(t, "../../monitoring/alerts.yml", &file)
	var exprs []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			exprs = append(exprs, strings.TrimRight(r.Expr, "\n"))
		}
	}
	managed := managedRules(t)
	if len(managed) != len(exprs) {
		t.Fatalf("%d rules, want %d", len(managed), len(exprs))
	}
	labelled := regexp.MustCompile(`(, "(?:api|vantage)", "[^"]*", "[a-z]+", "[^"]*"\))+`)
	unless := regexp.MustCompile(`\nunless on \([a-z, ]+\)\n  ALERTS\{alertstate="firing", [^{}]*\}`)
	for i, m := range managed {
		rest := unless.ReplaceAllString(m.Data[0].Model.Expr, "")
		rest = strings.TrimLeft(rest, " ")
		for strings.HasPrefix(rest, "label_replace(") && rest != exprs[i] {
			rest = strings.TrimPrefix(rest, "label_replace(")
		}
		if end := strings.TrimPrefix(rest, exprs[i]); end == rest || labelled.ReplaceAllString(end, "") != "" {
			t.Errorf("%s is\n%s\nand not made of\n%s", m.Title, m.Data[0].Model.Expr, exprs[i])
		}
	}
}

// Grafana's rules raise the alerts that Prometheus' rules raise and Alertmanager does not mute, at each evaluation of
// each scenario of monitoring/tests, with the same labels and texts.
func TestGrafanaRaisesTheSameAlerts(t *testing.T) {
	managed := managedRules(t)
	inhibition := inhibitionRules(t)
	files, err := filepath.Glob("../../monitoring/tests/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	files = append(files, "testdata/inhibition.yml")
	converted := asPrometheus(t, managed)
	var rendered atomic.Int64
	t.Run("scenarios", func(t *testing.T) {
		for _, path := range files {
			t.Run(filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				var file struct {
					GroupEvalOrder     []string `yaml:"group_eval_order"`
					EvaluationInterval string   `yaml:"evaluation_interval"`
					Tests              []scenario
				}
				readYAML(t, path, &file)
				if file.GroupEvalOrder == nil {
					file.GroupEvalOrder = groupNames(t)
				}
				for _, s := range file.Tests {
					c := &comparison{scenario: s, managed: managed, inhibition: inhibition, rendered: &rendered,
						every: duration(t, file.EvaluationInterval)}
					c.run(t, file.GroupEvalOrder, converted)
				}
			})
		}
	})
	for _, row := range inhibition {
		if row.muted.Load() == 0 {
			t.Errorf("no scenario has an alert that %s mutes", row)
		}
	}
	if rendered.Load() < int64(len(managed)) {
		t.Errorf("the texts of %d alerts were compared, want one of each rule at least", rendered.Load())
	}
}

// groupNames are the groups of Prometheus' rules, in the order of the files.
func groupNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, path := range []string{"../../monitoring/recording.yml", "../../monitoring/alerts.yml"} {
		var file struct{ Groups []struct{ Name string } }
		readYAML(t, path, &file)
		for _, g := range file.Groups {
			names = append(names, g.Name)
		}
	}
	return names
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(d)
}

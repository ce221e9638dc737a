package monitoring

import (
	"maps"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// tested is what the unit tests see of an alert.
type tested struct {
	fires      bool
	neighbours bool // others of the same test, by job, instance, target or vantage, do not
	resolves   bool // later in the same test it does not fire
}

// unitTest is a test of promtool's. It compares all alerts of a name, or all that a query of ALERTS finds.
type unitTest struct {
	InputSeries []struct{ Series string } `yaml:"input_series"`
	Alerts      []struct {
		At    string `yaml:"eval_time"`
		Name  string `yaml:"alertname"`
		Fires []struct {
			Labels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
	Queries []struct {
		At      string                    `yaml:"eval_time"`
		Query   string                    `yaml:"expr"`
		Samples []struct{ Labels string } `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

// firing is what a test expects to fire at a time.
type firing struct {
	at     time.Duration
	alerts []map[string]string
}

// everyFiring is a query of all alerts that fire.
var everyFiring = regexp.MustCompile(`^group by \(.*\) \(ALERTS\{alertstate="firing"\}\)$`)

// expected are the expectations of a test that can be compared with each other: those of one alert, or of all ("").
func (u *unitTest) expected(t *testing.T) map[string][]firing {
	t.Helper()
	all := map[string][]firing{}
	for _, row := range u.Alerts {
		f := firing{at: duration(t, row.At)}
		for _, a := range row.Fires {
			a.Labels["alertname"] = row.Name
			f.alerts = append(f.alerts, a.Labels)
		}
		all[row.Name] = append(all[row.Name], f)
	}
	for _, row := range u.Queries {
		if !everyFiring.MatchString(row.Query) {
			continue
		}
		f := firing{at: duration(t, row.At)}
		for _, sample := range row.Samples {
			f.alerts = append(f.alerts, parseLabels(sample.Labels))
		}
		all[""] = append(all[""], f)
	}
	return all
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(d)
}

var pair = regexp.MustCompile(`(\w+)="([^"]*)"`)

func parseLabels(series string) map[string]string {
	labels := map[string]string{}
	for _, found := range pair.FindAllStringSubmatch(series, -1) {
		labels[found[1]] = found[2]
	}
	return labels
}

// testedAlerts is what all unit tests see, by the alert's name.
func testedAlerts(t *testing.T) map[string]tested {
	t.Helper()
	files, err := filepath.Glob("tests/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]tested{}
	for _, path := range files {
		var file struct{ Tests []unitTest }
		readYAML(t, path, &file)
		for i := range file.Tests {
			for _, expected := range file.Tests[i].expected(t) {
				for _, now := range expected {
					for _, alert := range now.alerts {
						name := alert["alertname"]
						seen[name] = tested{true, seen[name].neighbours || hasNeighbour(&file.Tests[i], now.alerts, name),
							seen[name].resolves || resolves(alert, now.at, expected)}
					}
				}
			}
		}
	}
	return seen
}

// resolves reports whether an alert that fires at a time does not at a later one.
func resolves(alert map[string]string, at time.Duration, expected []firing) bool {
	for _, later := range expected {
		if later.at <= at {
			continue
		}
		still := false
		for _, other := range later.alerts {
			still = still || maps.Equal(alert, other)
		}
		if !still {
			return true
		}
	}
	return false
}

// hasNeighbour reports whether a test has a series of something for which no alert of the name fires.
func hasNeighbour(u *unitTest, alerts []map[string]string, name string) bool {
	for _, input := range u.InputSeries {
		labels, fires := parseLabels(input.Series), false
		for _, alert := range alerts {
			fires = fires || alert["alertname"] == name && about(alert, labels)
		}
		if !fires {
			return true
		}
	}
	return false
}

// about reports whether an alert and a series have no label of their origin that differs.
func about(alert, series map[string]string) bool {
	for _, label := range []string{"job", "instance", "target", "vantage"} {
		if alert[label] != "" && series[label] != "" && alert[label] != series[label] {
			return false
		}
	}
	return true
}

package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withoutData are the panels that the demo has no data for: it has no reference targets, observes no application, measures no idle
// connections, repeats no results, captures no resets, reaches nothing through a tunnel, and nothing of its host fails; and this Prometheus does not scrape itself.
var withoutData = map[string]bool{
	"overview.json: Reference targets":                                true,
	"target.json: The application's connections":                      true,
	"target.json: How the application's connections end":              true,
	"target.json: Requests that the application lost":                 true,
	"target.json: Round trip of the application's connections":        true,
	"target.json: Segments that the application retransmitted":        true,
	"target.json: Congestion of the application's connections":        true,
	"target.json: Congestion window of the application's connections": true,
	"target.json: Waiting for the target to read":                     true,
	"target.json: Lifetime of idle connections":                       true,
	"target.json: How idle connections end":                           true,
	"target.json: Sender of resets":                                   true,
	"target.json: Path MTU":                                           true,
	"target.json: Age of results":                                     true,
	"exporter.json: Resources in use":                                 true,
	"exporter.json: Pressure and throttling":                          true,
	"exporter.json: Dropped by the kernel":                            true,
	"exporter.json: TCP of the host":                                  true,
	"exporter.json: Sockets":                                          true,
	"exporter.json: Memory limit and OOM kills":                       true,
	"exporter.json: Lost and refused":                                 true,
	"exporter.json: Duration of evaluations":                          true,
	"exporter.json: Share of the interval":                            true,
	"exporter.json: Missed and failed evaluations":                    true,
	"exporter.json: Recorded series":                                  true,
}

type dashboardPanel struct {
	Title   string
	Targets []struct{ Expr string }
	Panels  []dashboardPanel
}

// Every query of every dashboard is understood by Prometheus, and returns data after a run of the demo.
func TestDashboardsHaveData(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "monitoring/dashboards/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	for _, row := range prometheuses {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := find(t, row.program, row.how)
			address := startDemo(t)
			p := startPrometheus(t, path, scrapes(address, row.global, shippedRules(t)...),
				"--enable-feature=exemplar-storage"+row.feature)
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var dashboard dashboardPanel
				if err := json.Unmarshal(content, &dashboard); err != nil {
					t.Fatal(err)
				}
				havePanelsData(t, p, filepath.Base(file), dashboard.Panels)
			}
		})
	}
}

// variables are the values of the dashboards' variables.
var variables = strings.NewReplacer("$__rate_interval", "10s", "$__interval", "10s", "$__range", "1m",
	"$job", ".+", "$instance", ".+", "$target", ".*", "$top", "20")

func havePanelsData(t *testing.T, p prometheus, file string, panels []dashboardPanel) {
	t.Helper()
	for _, panel := range panels {
		for _, q := range panel.Targets {
			query := variables.Replace(q.Expr)
			if withoutData[file+": "+panel.Title] {
				p.vector(t, query)
				continue
			}
			eventually(t, fmt.Sprintf("%s, panel %q, %s", file, panel.Title, query), func() (string, bool) {
				got := p.vector(t, query, "target", "instance", "phase")
				return fmt.Sprint(got), len(got) > 0
			})
		}
		havePanelsData(t, p, file, panel.Panels)
	}
}

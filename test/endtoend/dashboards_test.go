package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
			variables := strings.NewReplacer("$__rate_interval", "10s", "$__interval", "10s", "$__range", "1m",
				"$job", ".+", "$instance", ".+", "$target", ".*")
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var dashboard struct {
					Panels []struct {
						Title   string
						Targets []struct{ Expr string }
					}
				}
				if err := json.Unmarshal(content, &dashboard); err != nil {
					t.Fatal(err)
				}
				for _, panel := range dashboard.Panels {
					for _, q := range panel.Targets {
						query := variables.Replace(q.Expr)
						eventually(t, fmt.Sprintf("%s, panel %q, %s", filepath.Base(file), panel.Title, query),
							func() (string, bool) {
								got := p.vector(t, query, "target", "instance", "phase")
								return fmt.Sprint(got), len(got) > 0
							})
					}
				}
			}
		})
	}
}

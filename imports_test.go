package main

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden lists which packages a package must not depend on, directly or through others, and why: dependencies point one way.
var forbidden = map[string]map[string]string{
	"errno_exporter/prober": {
		"errno_exporter/internal": "everything else is a function of Results",
	},
	"errno_exporter/prober/result": {
		"errno_exporter": "whoever reads results needs them alone",
	},
	"errno_exporter/prober/classify": {
		"errno_exporter/config":   "classification is a function of evidence",
		"errno_exporter/guard":    "classification starts no goroutines",
		"errno_exporter/internal": "classification is a function of evidence",
	},
	"errno_exporter/prober/flood": {
		"errno_exporter/config":        "bounds are numbers",
		"errno_exporter/prober/socket": "bounds are numbers",
		"errno_exporter/internal":      "bounds are numbers",
	},
	"errno_exporter/prober/dns": {
		"errno_exporter/config":   "a lookup is given what it needs",
		"errno_exporter/internal": "a lookup is given what it needs",
	},
	"errno_exporter/prober/socket": {
		"errno_exporter/config":   "a socket is given what it needs",
		"errno_exporter/internal": "a socket is given what it needs",
	},
	"errno_exporter/internal/reset": {
		"errno_exporter/config": "who sent a RST is a function of packets",
	},
	"errno_exporter/internal/schedule": {
		"errno_exporter": "slots know nothing of what takes them",
	},
	"errno_exporter/internal/egress": {
		"github.com/prometheus":   "a rule is a function of results",
		"errno_exporter/config":   "a rule is a function of results",
		"errno_exporter/internal": "verdicts, metrics and pages are made of the rule",
	},
	"errno_exporter/config": {
		"errno_exporter/prober":   "the prober depends on the configuration",
		"errno_exporter/internal": "the configuration depends on nothing of ours",
	},
	"errno_exporter/internal/cause": {
		"errno_exporter/internal/metrics": "a verdict is exposed elsewhere",
		"errno_exporter/internal/watch":   "a verdict is a function of evidence",
	},
	"errno_exporter/internal/history": {
		"errno_exporter/internal/web": "pages are made of records, not records of pages",
	},
	"errno_exporter/internal/metrics": {
		"errno_exporter/internal/web": "pages are made of metrics, not metrics of pages",
	},
	"errno_exporter": {
		"errno_exporter/internal/faultlab": "the program starts no servers of the tests; the demo has its own",
	},
	"errno_exporter/internal/faultlab": {
		"errno_exporter/prober": "servers that misbehave know nothing of who looks",
		"errno_exporter/config": "servers that misbehave know nothing of who looks",
	},
}

// forbiddenDirectly are the rules that hold for what a package itself imports: its dependencies import more.
var forbiddenDirectly = map[string]map[string]string{
	"errno_exporter/prober": {
		"github.com/prometheus": "a probe knows no metrics",
		"log":                   "a probe returns, it does not log",
		"html":                  "a probe knows no pages",
	},
	"errno_exporter/internal/cause": {
		"github.com/prometheus": "a verdict is a function of evidence",
		"errno_exporter/config": "a verdict is a function of results",
	},
	"errno_exporter/internal/history": {
		"github.com/prometheus": "it keeps Results, and shows none",
	},
}

func TestDependenciesPointOneWay(t *testing.T) {
	checkImports(t, forbidden, `{{join .Deps "\n"}}`)
	checkImports(t, forbiddenDirectly, `{{join .Imports "\n"}}`)
}

// checkImports compares what packages import, in go list's format, with the rules.
func checkImports(t *testing.T, forbidden map[string]map[string]string, format string) {
	t.Helper()
	for pkg, rules := range forbidden {
		out, err := exec.Command("go", "list", "-f", format, pkg).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		for _, imported := range strings.Fields(string(out)) {
			for prefix, why := range rules {
				if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
					t.Errorf("%s imports %s: %s", pkg, imported, why)
				}
			}
		}
	}
}

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden lists which packages a package must not depend on, directly or through others, and why: dependencies point
// one way.
var forbidden = map[string]map[string]string{
	"errno_exporter/prober": {
		"errno_exporter/internal": "everything else is a function of Results",
		"errno_exporter/config":   "a probe is given what it needs of a module",
		"github.com/prometheus":   "a probe knows no metrics",
		"gopkg.in/yaml.v3":        "a probe knows no files",
		"go.yaml.in":              "a probe knows no files",
		"cel.dev":                 "a module has its expressions compiled",
	},
	"errno_exporter/prober/result": {
		"errno_exporter": "whoever reads results needs them alone",
	},
	"errno_exporter/prober/classify": {
		"errno_exporter/config":        "classification is a function of evidence",
		"errno_exporter/guard":         "classification starts no goroutines",
		"errno_exporter/internal":      "classification is a function of evidence",
		"errno_exporter/prober":        "classification is a function of evidence",
		"errno_exporter/prober/result": "", // what evidence is made of
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
		"errno_exporter/config":          "a socket is given what it needs",
		"errno_exporter/internal":        "a socket is given what it needs",
		"errno_exporter/prober":          "a socket knows nothing of names, modules and steps",
		"errno_exporter/prober/result":   "", // what it records
		"errno_exporter/prober/classify": "", // whether an error is of its own doing
		"errno_exporter/prober/flood":    "", // bounds reads
	},
	"errno_exporter/internal/reset": {
		"errno_exporter/config": "who sent a RST is a function of packets",
	},
	"errno_exporter/internal/schedule": {
		"errno_exporter":               "a schedule knows nothing of what it schedules",
		"errno_exporter/guard":         "", // is how goroutines are started
		"errno_exporter/prober/module": "", // says how many file descriptors a probe needs
		"github.com/prometheus":        "a schedule is exposed elsewhere",
	},
	"errno_exporter/internal/egress": {
		"github.com/prometheus":   "a rule is a function of results",
		"errno_exporter/config":   "a rule is a function of results",
		"errno_exporter/internal": "verdicts, metrics and pages are made of the rule",
	},
	"errno_exporter/prober/module": {
		"errno_exporter": "a module is plain values and functions",
	},
	"errno_exporter/config": {
		"errno_exporter/prober":        "the configuration makes modules, and probes nothing",
		"errno_exporter/prober/module": "", // is what it makes
		"errno_exporter/internal":      "the configuration depends on nothing of ours",
	},
	"errno_exporter/internal/cause": {
		"errno_exporter/internal/metrics": "a verdict is exposed elsewhere",
		"errno_exporter/internal/watch":   "a verdict is a function of evidence",
	},
	"errno_exporter/internal/incident": {
		"errno_exporter/internal/web":     "pages are made of incidents, not incidents of pages",
		"errno_exporter/internal/watch":   "incidents are a function of results, whoever probes",
		"errno_exporter/internal/metrics": "samples are made of values",
		"errno_exporter/internal/store":   "incidents are stored by others",
	},
	"errno_exporter/internal/history": {
		"errno_exporter/internal/web": "pages are made of records, not records of pages",
	},
	"errno_exporter/internal/metrics": {
		"errno_exporter/internal/web":   "pages are made of metrics, not metrics of pages",
		"errno_exporter/internal/watch": "samples are made of values, whoever probes",
	},
	"errno_exporter/internal/target": {
		"errno_exporter/internal/watch":   "what is known of a target does not depend on who probes",
		"errno_exporter/internal/web":     "pages are made of it, not it of pages",
		"errno_exporter/internal/metrics": "samples are made of it, not it of samples",
		"errno_exporter/internal/history": "records are of single probes",
	},
	"errno_exporter/internal/target/state": {
		"errno_exporter":                   "counters and timelines are made of results alone",
		"errno_exporter/prober/result":     "", // is what they are made of
		"errno_exporter/internal/lifetime": "", // as is this
	},
	"errno_exporter/internal/store": {
		"errno_exporter":       "a store knows the columns of its queries, and no bodies",
		"errno_exporter/guard": "", // is how goroutines are started
	},
	"errno_exporter/internal/lifetime": {
		"errno_exporter":               "the next age is a function of the results so far",
		"errno_exporter/prober/result": "", // of these
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
		"log":  "a probe returns, it does not log",
		"html": "a probe knows no pages",
	},
	"errno_exporter/internal/cause": {
		"github.com/prometheus": "a verdict is a function of evidence",
		"errno_exporter/config": "a verdict is a function of results",
	},
	"errno_exporter/internal/incident": {
		"errno_exporter/prober":        "incidents are a function of results",
		"errno_exporter/prober/result": "", // of these
		"errno_exporter/config":        "incidents are a function of results",
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
			if why := reason(rules, imported); why != "" {
				t.Errorf("%s imports %s: %s", pkg, imported, why)
			}
		}
	}
}

// reason is why a package must not be imported: the rule of the longest prefix. An empty one allows it.
func reason(rules map[string]string, imported string) string {
	longest, why := "", ""
	for prefix, because := range rules {
		if (imported == prefix || strings.HasPrefix(imported, prefix+"/")) && len(prefix) > len(longest) {
			longest, why = prefix, because
		}
	}
	return why
}

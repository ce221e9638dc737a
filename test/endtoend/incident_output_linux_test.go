package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/test/incident"
)

// outputLine is a line of an exposition that docs/errno-104.md shows.
var outputLine = regexp.MustCompile(`(?m)^(probe_(failure_info|cause_info|reset_ttl_delta|keepalive_success|` +
	`keepalive_idle_seconds|address_success|success)(\{.*target="api".*\}) .*|errno_exporter_egress_up .*)$`)

// shownOutput is an output in docs/errno-104.md, under the command that makes it.
var shownOutput = regexp.MustCompile("(?s)<!-- go test ./test/endtoend -run 'Incidents/([^>]*)\\$' -update -->\n" +
	"```\n(.*?)\n```")

// compareOutputs compares the outputs in docs/errno-104.md, line by line, with those of the incidents that ran; -update
// writes them.
func compareOutputs(t *testing.T, incidents []incident.Incident, results []reproduced) {
	t.Helper()
	file := filepath.Join(root, "docs", "errno-104.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	page = shownOutput.ReplaceAllFunc(page, func(block []byte) []byte {
		found := shownOutput.FindSubmatch(block)
		name, text := string(found[1]), string(found[2])
		n := slices.IndexFunc(incidents, func(i incident.Incident) bool {
			return strings.ReplaceAll(i.Name, " ", "_") == name
		})
		if n < 0 {
			t.Errorf("%s shows the incident %q, which does not exist", file, name)
			return block
		}
		shown++
		output := results[n].output
		if output == "" {
			return block // not selected
		}
		if *update {
			return []byte(strings.Replace(string(block), "\n"+text+"\n", "\n"+output+"\n", 1))
		}
		if diff := cmp.Diff(comparable(text), comparable(output)); diff != "" {
			t.Errorf("%s shows another output of %q (-shown +made); run: go test ./test/endtoend -run 'Incidents/%s$' "+
				"-update\n%s", file, name, name, diff)
		}
		return block
	})
	if *update {
		if err := os.WriteFile(file, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if shown < 10 {
		t.Errorf("%s shows %d outputs, want at least 10", file, shown)
	}
}

// varying is what differs from run to run: times of day, durations, and how many probes fit into them.
var varying = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b|\b\d+(\.\d+)?(ms|s)\b|\b\d+\.\d{4,}\b|` +
	`\b\d+( of \d+)? (attempts|times|probes|remembered)\b`)

// comparable is an output without what differs from run to run, one element a line.
func comparable(output string) []string {
	return strings.Split(varying.ReplaceAllString(output, "…"), "\n")
}

// Only times and counts may differ.
func TestComparable(t *testing.T) {
	for _, row := range []struct{ output, want string }{
		{"failing since 18:16:02; the last success was at 18:16:01", "failing since …; the last success was at …"},
		{"after 2.5s idle, the last took 504ms", "after … idle, the last took …"},
		{`probe_keepalive_idle_seconds{idle="2s"} 3.026644163`, `probe_keepalive_idle_seconds{idle="…"} …`},
		{"7 attempts in a row failed", "… in a row failed"},
		{"2 hops nearer (TTL 64, the server's 62)", "2 hops nearer (TTL 64, the server's 62)"},
		{`probe_reset_ttl_delta{target="api"} 2`, `probe_reset_ttl_delta{target="api"} 2`},
		{"ICMP type 3 code 13 from 10.9.1.1: a rule", "ICMP type 3 code 13 from 10.9.1.1: a rule"},
		{"with segments of 1000 bytes", "with segments of 1000 bytes"},
	} {
		if got := fmt.Sprint(comparable(row.output)); got != fmt.Sprint([]string{row.want}) {
			t.Errorf("comparable(%q) = %s, want [%s]", row.output, got, row.want)
		}
	}
}

package egress

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errno_exporter/prober/result"
)

// The recording rules decide as the functions do: target:probe_egress_failing:info for every phase, reason and origin
// that may be, and vantage:probe_egress_down:bool for every case of TestDown.
func TestRecordingRule(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		promtool, err = exec.LookPath("../../.tools/promtool")
	}
	if err != nil {
		t.Skip("promtool is not there: apt-get install prometheus")
	}
	rules, err := filepath.Abs("../../monitoring/recording.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := "rule_files: [" + rules + "]\nevaluation_interval: 15s\ntests:\n" + outOfReachCase()
	for _, row := range down {
		text += downCase(row.references, row.targets, row.want, row.name)
	}
	file := filepath.Join(t.TempDir(), "egress.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(promtool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// outOfReachCase has one target for each phase, reason and origin.
func outOfReachCase() string {
	var series, want strings.Builder
	for _, row := range result.Reasons {
		for _, phase := range row.Phases {
			for _, origin := range []result.Origin{result.Peer, result.Path, result.Kernel, result.Self, result.Local,
				""} {
				labels := fmt.Sprintf("{target=%q, phase=%q, reason=%q, origin=%q}",
					fmt.Sprint(phase, " ", row.Reason, " ", origin), phase, row.Reason, origin)
				fmt.Fprintf(&series, "      - series: 'probe_failure_info%s'\n        values: '1x4'\n", labels)
				if OutOfReach(&result.Failure{Phase: phase, Reason: row.Reason, Origin: origin}) {
					fmt.Fprintf(&want, "          - labels: 'target:probe_egress_failing:info%s'\n            value: "+
						"1\n", labels)
				}
			}
		}
	}
	return "  - name: out of reach\n    interval: 15s\n    input_series:\n" + series.String() +
		"    promql_expr_test:\n      - expr: target:probe_egress_failing:info\n        eval_time: 1m\n        " +
		"exp_samples:\n" + want.String()
}

// downCase is one row of TestDown.
func downCase(references string, targets []string, want bool, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %q\n    interval: 15s\n    input_series:\n", name)
	add := func(series string, value int) {
		fmt.Fprintf(&b, "      - series: '%s'\n        values: '%dx4'\n", series, value)
	}
	switch references {
	case "up":
		add("errno_exporter_egress_up", 1)
	case "down":
		add("errno_exporter_egress_up", 0)
	}
	for i, text := range targets {
		label := fmt.Sprintf("target=%q", fmt.Sprint("api-", i))
		success := 1
		if f := failures[trimmed(text)]; f != nil {
			success = 0
			add(fmt.Sprintf("probe_failure_info{%s, phase=%q, reason=%q, origin=%q}", label, f.Phase, f.Reason,
				f.Origin), 1)
		}
		add(fmt.Sprintf("probe_success{%s}", label), success)
		add(fmt.Sprintf("probe_reliable{%s}", label), 1)
		if network := int(text[0] - '0'); network > 0 {
			add(fmt.Sprintf("probe_ip_network_hash{%s}", label), network)
		}
	}
	value := 0
	if want {
		value = 1
	}
	fmt.Fprintf(&b, "    promql_expr_test:\n      - expr: 'max(vantage:probe_egress_down:bool)'\n        eval_time: "+
		"1m\n        exp_samples:\n"+
		"          - labels: '{}'\n            value: %d\n", value)
	return b.String()
}

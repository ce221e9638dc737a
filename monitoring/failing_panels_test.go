package monitoring

import (
	"strings"
	"testing"
)

// failingTargets are a target that succeeded once, with a cause and an owner; one that never did, without either; one that is scraped by
// /probe; one that succeeds again, which still has a cause; and a target of blackbox_exporter, which is not ours.
func failingTargets() []series {
	const scraped = `job="apis", instance="a:10104", vantage="eu"`
	input := []series{
		{`probe_success{job="apis", instance="icmp"}`, "0x40"},
		{`probe_last_success_timestamp_seconds{` + scraped + `, target="once"}`, "60x40"},
		{`probe_target_info{` + scraped + `, target="once", team="shop", url="https://once.example"}`, "1x40"},
		{`probe_cause_info{` + scraped + `, target="once", cause="not_listening", party="server", confidence="high"}`, "1x40"},
		{`probe_last_success_timestamp_seconds{` + scraped + `, target="again"}`, "540x40"},
		{`probe_cause_info{` + scraped + `, target="again", cause="transient", party="unknown", confidence="low"}`, "1x40"},
		{`probe_success{` + scraped + `, target="again"}`, "0x20 1x20"},
		{`probe_reliable{` + scraped + `, target="again"}`, "1x40"},
	}
	for _, labels := range []string{scraped + `, target="once"`, scraped + `, target="never"`,
		`job="apis", instance="https://api.example/?a=1&b=2"`} {
		input = append(input, series{"probe_success{" + labels + "}", "0x40"}, series{"probe_reliable{" + labels + "}", "1x40"},
			series{"probe_failure_info{" + labels + `, phase="connect", reason="tcp.refused", errno="ECONNREFUSED", origin="peer"}`,
				"1x40"})
	}
	return input
}

// The table shows every target that fails, whatever is unknown of it, and no other; the value is the time of its last success in ms.
func TestTableOfFailingTargets(t *testing.T) {
	t.Parallel()
	const how = `phase="connect", reason="tcp.refused", errno="ECONNREFUSED"`
	checkQueries(t, failingTargets(), map[string][]sample{
		queryOf(t, "overview.json", "Failing now, and why"): {
			{`{api="once", target="once", target_variable="once", job="apis", instance="a:10104", vantage="eu", team="shop", ` +
				`cause="not_listening", party="server", confidence="high", ` + how + "}", 60_000},
			{`{api="never", target="never", target_variable="never", job="apis", instance="a:10104", vantage="eu", ` + how + "}", 0},
			{`{api="https://api.example/?a=1&b=2", target_variable="$__all", job="apis", instance="https://api.example/?a=1&b=2", ` +
				how + "}", 0},
		},
	})
}

// The timeline has the targets that were worst in the time range, at most as many as the variable top says, and tells failures of a
// vantage whose egress is down from others.
func TestTimelineShowsTheWorst(t *testing.T) {
	t.Parallel()
	var input []series
	for target, values := range map[string]string{"bad": "0x40", "worse": "0x40", "good": "1x40"} {
		labels := strings.Replace(apis, "}", `, vantage="`+map[string]string{"bad": "eu"}[target]+`", target="`+target+`"}`, 1)
		input = append(input, series{"probe_success" + labels, values}, series{"probe_reliable" + labels, "1x40"})
	}
	input = append(input, series{`errno_exporter_egress_up{job="apis", instance="a:10104", vantage="eu"}`, "0x40"})
	checkQueries(t, input, map[string][]sample{
		queryOf(t, "overview.json", "State of targets"): {
			{`{api="bad", target="bad", target_variable="bad", job="apis", instance="a:10104", vantage="eu"}`, 2},
			{`{api="worse", target="worse", target_variable="worse", job="apis", instance="a:10104"}`, 0},
		},
	})
}

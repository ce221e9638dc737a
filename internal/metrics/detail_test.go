package metrics_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/module"
)

// TestDetail: rows are records; single is what an answer to /probe lacks of all that was measured, and an answer to
// /metrics lacks as well.
func TestDetail(t *testing.T) {
	const always = "probe_attempts_made probe_bytes_received probe_bytes_sent "
	const established = "probe_tcp_min_rtt_seconds probe_tcp_mss_bytes probe_tcp_path_mtu_bytes " +
		"probe_tcp_rtt_variance_seconds"
	const constant = "probe_failed_due_to_regex probe_timeout_seconds"
	for _, row := range []struct{ record, single string }{
		{"name_does_not_exist", ""},
		{"connect_refused", "probe_tcp_mss_bytes probe_tcp_out_of_order_packets probe_tcp_path_mtu_bytes " +
			"probe_tcp_retransmitted_segments probe_tcp_syn_retransmits"},
		{"http_success", established},
		{"https_h2_redirect", established + " probe_tcp_syn_retransmits"},
	} {
		all := resulttest.Records()
		at := slices.IndexFunc(all, func(r resulttest.Record) bool { return r.Name == row.record })
		whole := namesIn(exposed(&all[at].Result).Text())
		for _, detail := range []struct {
			detail metrics.Detail
			lacks  string
		}{{metrics.Whole, ""}, {metrics.Single, always + row.single}, {metrics.Scraped, always + row.single + " " + constant}} {
			e := metrics.NewExposition()
			e.Show(detail.detail)
			e.Probe(&all[at].Result, apiModule())
			has, want := namesIn(e.Text()), strings.Fields(detail.lacks)
			slices.Sort(want)
			lacks := slices.DeleteFunc(slices.Clone(whole), func(name string) bool { return slices.Contains(has, name) })
			if diff := cmp.Diff(strings.Join(want, " "), strings.Join(lacks, " ")); diff != "" {
				t.Errorf("%s, detail %d lacks (-want +got):\n%s", row.record, detail.detail, diff)
			}
		}
	}
}

// What can be nothing but 0 has a sample where the module makes it something else.
func TestDetailByModule(t *testing.T) {
	r := &resulttest.Records()[0].Result
	for _, row := range []struct {
		name   string
		module module.Module
		want   []string
	}{
		{"nothing", module.Module{}, nil},
		{"retries", module.Module{Retry: module.Retry{Attempts: 2}}, []string{"probe_attempts_made"}},
		{"a regular expression", module.Module{FailIfHeaderMatches: make([]module.HeaderMatch, 1)},
			[]string{"probe_failed_due_to_regex"}},
	} {
		e := metrics.NewExposition()
		e.Show(metrics.Scraped)
		e.Probe(r, &row.module)
		got := slices.DeleteFunc(namesIn(e.Text()), func(name string) bool {
			return name != "probe_attempts_made" && name != "probe_failed_due_to_regex"
		})
		if diff := cmp.Diff(strings.Join(row.want, " "), strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// namesIn are the names of the families in a text, in its order.
func namesIn(text string) (names []string) {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(name)[0])
		}
	}
	return names
}

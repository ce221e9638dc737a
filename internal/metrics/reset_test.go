package metrics_test

import (
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/target/state"
)

// TestReset: what is written after a Reset is what a fresh exposition writes, whatever was in it before.
func TestReset(t *testing.T) {
	used := everything(t, config.AutoHistograms, metrics.Delimited)
	text, records := expfmt.NewFormat(expfmt.TypeTextPlain), resulttest.Records()
	for i := range records {
		fresh := metrics.NewExposition()
		used.Reset(text)
		for _, e := range []*metrics.Exposition{used, fresh} {
			totals := state.NewTotals()
			totals.Add(&records[i].Result, ulid.Zero)
			e.Probe(&records[i].Result, apiModule())
			e.Totals(totals, metrics.Kept{})
		}
		if diff := cmp.Diff(fresh.Text(), used.Text()); diff != "" {
			t.Errorf("%s (-fresh +used again):\n%s", records[i].Name, diff)
		}
	}
}

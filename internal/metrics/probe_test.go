package metrics_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files instead of comparing with them")
	goleak.VerifyTestMain(m)
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// apiModule is what the records were probed with.
func apiModule() *module.Module { return &module.Module{Name: "api", IPProtocolFallback: true} }

func exposed(r *result.Result) *metrics.Exposition {
	e := metrics.NewExposition()
	e.Probe(r, apiModule())
	return e
}

// Every record gives exactly the samples in its golden file.
func TestProbe(t *testing.T) {
	for _, record := range resulttest.Records() {
		t.Run(record.Name, func(t *testing.T) {
			got := exposed(&record.Result).Text()
			file := filepath.Join("testdata", record.Name+".prom")
			if updating() {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("Probe(%s) (-want +got):\n%s", record.Name, diff)
			}
		})
	}
}

func text(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// The names keep Prometheus's rules, blackbox_exporter's too: there is no exception to list.
func TestLint(t *testing.T) {
	var got []promlint.Problem
	for _, record := range resulttest.Records() {
		problems, err := promlint.New(strings.NewReader(exposed(&record.Result).Text())).Lint()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, problems...)
	}
	if diff := cmp.Diff([]promlint.Problem(nil), got); diff != "" {
		t.Errorf("Lint() (-want +got):\n%s", diff)
	}
}

// A load that fails leaves the time of the last good one.
func TestReload(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	reload := metrics.NewReload(registry)
	reload.Record(nil, time.Unix(1000, 500_000_000))
	reload.Record(os.ErrNotExist, time.Unix(2000, 0))
	reload.Unused(3, 2)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	const want = `# HELP blackbox_exporter_config_last_reload_success_timestamp_seconds Unix time of the last successful load of the configuration.
# TYPE blackbox_exporter_config_last_reload_success_timestamp_seconds gauge
blackbox_exporter_config_last_reload_success_timestamp_seconds 1000.5
# HELP blackbox_exporter_config_last_reload_successful 1 if the last load of the configuration succeeded, 0 if not.
# TYPE blackbox_exporter_config_last_reload_successful gauge
blackbox_exporter_config_last_reload_successful 0
# HELP errno_exporter_config_last_reload_success_timestamp_seconds Unix time of the last successful load of the configuration.
# TYPE errno_exporter_config_last_reload_success_timestamp_seconds gauge
errno_exporter_config_last_reload_success_timestamp_seconds 1000.5
# HELP errno_exporter_config_last_reload_successful 1 if the last load of the configuration succeeded, 0 if not.
# TYPE errno_exporter_config_last_reload_successful gauge
errno_exporter_config_last_reload_successful 0
# HELP errno_exporter_config_modules_skipped Number of modules of the running configuration that use a prober that is not served here.
# TYPE errno_exporter_config_modules_skipped gauge
errno_exporter_config_modules_skipped 3
# HELP errno_exporter_config_target_files_failed Number of files of target_files that the last load could not use, and whose targets stay as they were.
# TYPE errno_exporter_config_target_files_failed gauge
errno_exporter_config_target_files_failed 2
`
	if diff := cmp.Diff(want, text(t, families)); diff != "" {
		t.Errorf("after a good and a bad load (-want +got):\n%s", diff)
	}
}

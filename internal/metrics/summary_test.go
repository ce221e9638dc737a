package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/metrics/resulttest"
)

// A result and its summary have the same samples: what a target keeps of its last probe is served by min_interval.
func TestSummary(t *testing.T) {
	for _, record := range resulttest.Records() {
		t.Run(record.Name, func(t *testing.T) {
			want, got := exposed(&record.Result).Text(), exposed(record.Result.Summary()).Text()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the samples of the result and of its summary differ (-want +got):\n%s", diff)
			}
			if packed := record.Result.Summary().Pack(); packed != nil {
				if diff := cmp.Diff(got, exposed(packed.Summary()).Text()); diff != "" {
					t.Errorf("the samples of the summary and of what was packed differ (-want +got):\n%s", diff)
				}
			} else if record.Name == "http_success" {
				t.Error("the summary of a success is not packed")
			}
			if text := exposed(record.Result.Summary().Summary()).Text(); text != got {
				t.Errorf("the samples of a summary's summary are\n%s\nwant\n%s", text, got)
			}
		})
	}
}

package web

import (
	"slices"
	"testing"
	"time"

	"errno_exporter/internal/observe"
)

// What a target's page says of the application's data on its way, and that it says nothing where there is nothing.
func TestTransmissionOfTarget(t *testing.T) {
	for _, row := range []struct {
		name string
		c    observe.Connections
		want []string
	}{
		{"nothing", observe.Connections{}, nil},
		{"a healthy path", observe.Connections{TCP: observe.TCP{RTT: 2 * time.Millisecond,
			RTTVariance: 300 * time.Microsecond, Window: 14480}},
			[]string{"TCP RTT: 2.0 ms ± 300 µs", "congestion: mean window 14480 bytes"}},
		{"loss", observe.Connections{TCP: observe.TCP{RTT: 2 * time.Millisecond, Window: 2896}, Retransmitted: 9,
			Congestion: map[string]int{"recovery": 2, "loss": 1, "disorder": 3}},
			[]string{"TCP RTT: 2.0 ms ± 0 µs", "retransmits: 9 segments",
				"congestion: 1 in loss, 2 in recovery, 3 in disorder; mean window 2896 bytes"}},
		{"a target that does not read", observe.Connections{WindowLimited: 90 * time.Second},
			[]string{"receive window: waited 90 seconds for the target's receive window: it does not read"}},
	} {
		var f facts
		f.transmission(toApplication(&row.c))
		var got []string
		for _, fact := range f.Rows {
			got = append(got, fact.Name+": "+fact.Value)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

package web

import (
	"slices"
	"testing"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
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

// A target's page says in words how the application's connections ended, and by whom where a capture saw it.
func TestEndsOfTarget(t *testing.T) {
	c := observe.Connections{Ended: map[observe.Ending]uint64{{How: observe.ResetReceived, Origin: result.Peer}: 3,
		{How: observe.ResetReceived}: 2, {How: observe.FINSent}: 1}}
	want := "3 reset by the peer, 2 reset (RST received), 1 closed by the application (FIN sent)"
	if got := toApplication(&c).Ends; got != want {
		t.Errorf("ends %q, want %q", got, want)
	}
}

// The advice on a cause is shown beside it, and not again as what would decide.
func TestDeciding(t *testing.T) {
	advice := cause.ServerAborts.Info().Advice
	for _, row := range []struct {
		v    cause.Verdict
		want []string
	}{
		{cause.Verdict{Cause: cause.ServerAborts, Next: []string{advice}}, nil},
		{cause.Verdict{Cause: cause.Unknown, Next: []string{"probe again"}}, []string{"probe again"}},
	} {
		if got := toCause(&row.v).Deciding(); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q decide, want %q", row.v.Cause, got, row.want)
		}
	}
}

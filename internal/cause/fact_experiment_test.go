package cause

import (
	"testing"
	"time"
)

// Whether it is intercepted is known only where an experiment can tell.
func TestIntercepted(t *testing.T) {
	failure := after(n(1, closedFIN))
	yes, no := true, false
	for _, row := range []struct {
		name     string
		evidence Evidence
		want     *bool
	}{
		{"no experiments", failure, nil},
		{"others", failure.made("again- tcp_only+"), nil},
		{"a never routed address accepts", failure.made("again- never_routed+"), &yes},
		{"it does not", failure.made("again- never_routed-"), &no},
		{"our own link answers", failure.oneHop(99 * time.Microsecond), &yes},
		{"a hop that takes its time", failure.oneHop(100 * time.Microsecond), &no},
		{"routers before it", failure.made("again- one_hop-"), &no},
		{"both differ", failure.made("again- never_routed+ one_hop-"), &yes},
	} {
		v, _ := Judge(&row.evidence)
		got := v.Intercepted
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

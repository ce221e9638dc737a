package watch

import (
	"strings"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// silent is an address that answers nothing: its accept queue is full.
func silent(t *testing.T) string {
	return strings.Trim(strings.TrimPrefix(faultlab.NeverAccepts(t), "http://"), "/")
}

// A reference target that is silent keeps no scrape beyond its time, and is reported as such by the next.
func TestSilentReferenceTarget(t *testing.T) {
	c := parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy)))
	c.ReferenceTargets = []*config.ReferenceTarget{{Name: "far", Address: silent(t), Kind: "network"}}
	b := newTested(t, c)
	defer b.Close()
	b.Scrape(t.Context(), 100*time.Millisecond)
	if e := b.Egress(); e.Known { // the reference target stays silent for 2 s
		t.Errorf("the scrape waited for the reference target: egress %+v", e)
	}
	b.references.Check() // waits for the check that is in progress
	if e := b.Egress(); !e.Known || e.Up || len(e.References) != 1 || e.References[0].Up {
		t.Errorf("egress %+v, want it known and down", e)
	}
}

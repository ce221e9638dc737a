package result

import (
	"testing"
	"time"

	"errno_exporter/internal/claims"
)

// Of a connection's events the first and the last are kept, 32 together.
func TestEventsAreBounded(t *testing.T) {
	const most = 32
	w := new(Wire)
	for i := range 3 * most {
		w.Append(Event{Op: []Op{OpRead, OpWrite}[i%2], Start: time.Duration(i)})
	}
	first, last := w.Events[0].Start, w.Events[len(w.Events)-1].Start
	if n := len(w.Events); n != most || w.Dropped != 2*most || first != 0 || last != 3*most-1 {
		t.Errorf("%d events are kept, from %d to %d, and %d are not; want %d, from 0 to %d, and %d", n, first, last,
			w.Dropped, most, 3*most-1, 2*most)
	}
	claims.Prove(t, "events kept of a connection", most)
}

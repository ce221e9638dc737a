package socket

import (
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// An exchange ended at what happened first: an error that was not our doing, or our deadline; else it ends now.
func TestEndedAt(t *testing.T) {
	failed := func(at time.Duration) *result.Event { return &result.Event{End: at} }
	for _, row := range []struct {
		name     string
		cause    *result.Event
		deadline time.Duration
		want     time.Duration // less than a minute: then now is an hour
	}{
		{"an error", failed(5), 0, 5},
		{"our deadline", nil, 7, 7},
		{"an error before our deadline", failed(5), 7, 5},
		{"an error at our deadline", failed(7), 7, 7},
		{"an error after our deadline", failed(9), 7, 7},
		{"neither", nil, 0, time.Hour},
	} {
		r := Recorder{start: time.Now().Add(-time.Hour), wire: result.Wire{Cause: row.cause}, endedAt: row.deadline}
		got := r.EndedAt()
		if row.want == time.Hour {
			got = got.Truncate(time.Hour)
		}
		if got != row.want {
			t.Errorf("%s: ended after %s, want %s", row.name, got, row.want)
		}
	}
}

// A write in progress was accepted when it began: its answer may have been read.
func TestTimes(t *testing.T) {
	for _, row := range []struct {
		name           string
		r              *Recorder
		read, accepted time.Duration
	}{
		{"between writes", &Recorder{lastRead: 3, accepted: 2}, 3, 2},
		{"in a write", &Recorder{lastRead: 3, accepted: 2, writing: 4}, 3, 4},
	} {
		if read, accepted := row.r.Times(); read != row.read || accepted != row.accepted {
			t.Errorf("%s: %d, %d, want %d, %d", row.name, read, accepted, row.read, row.accepted)
		}
	}
}

// A Wire no longer changes, and what was added to the recorder is in the next one.
func TestWireIsACopy(t *testing.T) {
	r, peer := connection(t)
	before := r.Wire()
	if _, err := r.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	r.SetReset(&result.Reset{})
	after := r.Wire()
	first, writes := r.FirstWrite()
	if before.BytesSent != 0 || len(before.Events) != 1 || before.Reset != nil {
		t.Errorf("%+v changed", before)
	}
	if after.BytesSent != 4 || len(after.Events) != 2 || after.Reset == nil || first <= 0 || writes != 1 {
		t.Errorf("%+v, first write after %s, want four bytes, a write and the reset", after, first)
	}
	if local, remote := r.Addresses(); local != AddrPort(peer.RemoteAddr()) || remote != AddrPort(peer.LocalAddr()) {
		t.Errorf("from %v to %v", local, remote)
	}
}

package state

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

func numbered(n int) ulid.ULID { return ulid.ULID{14: byte(n >> 8), 15: byte(n)} }

func TestTimeline(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	reset := &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	l := new(Timeline)
	if got := l.At(start); len(got.Ticks) != 0 || !got.Since.IsZero() || got.LastFailure != nil ||
		got.All != (Share{}) {
		t.Errorf("before the first probe: %+v", got)
	}
	for i := range 2000 { // a minute each; every tenth of the first hour fails, and the last three
		tick := Tick{Record: numbered(i + 1), Ended: start.Add(time.Duration(i) * time.Minute)}
		if i < 60 && i%10 == 0 || i >= 1997 {
			tick.Failure = reset
		}
		l.Add(tick)
	}
	now := start.Add(1999 * time.Minute)
	got := l.At(now)
	if len(got.Ticks) != 60 || got.Ticks[0].Record != numbered(1941) || got.Ticks[59].Record != numbered(2000) {
		t.Errorf("%d ticks from %s to %s, want 60 from 1941 to 2000", len(got.Ticks), got.Ticks[0].Record,
			got.Ticks[59].Record)
	}
	if want := start.Add(1997 * time.Minute); !got.Since.Equal(want) {
		t.Errorf("since %s, want %s", got.Since, want)
	}
	if got.LastFailure == nil || got.LastFailure.Record != numbered(2000) {
		t.Errorf("last failure %+v, want record 2000", got.LastFailure)
	}
	if want := (Share{1991, 2000}); got.All != want {
		t.Errorf("all %+v, want %+v", got.All, want)
	}
	// Buckets are five minutes wide: an hour is what has begun since then.
	if want := (Share{57, 60}); got.Hour != want {
		t.Errorf("hour %+v, want %+v", got.Hour, want)
	}
	if want := (Share{1437, 1440}); got.Day != want {
		t.Errorf("day %+v, want %+v", got.Day, want)
	}
}

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

// A timeline is what it was at an earlier time, as far as that is still known.
func TestTimelineAtAnEarlierTime(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	reset := &result.Failure{Phase: result.Processing, Reason: result.TCPReset}
	after := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	l := new(Timeline)
	for i := range 600 { // one a minute: fails from 100 to 119, every other from 200 to 299, from 570 to 579, and from 590
		tick := Tick{Record: ulid.ULID{14: byte(i >> 8), 15: byte(i)}, Ended: after(i)}
		if i >= 100 && i < 120 || i >= 200 && i < 300 && i%2 == 0 || i >= 570 && i < 580 || i >= 590 {
			tick.Failure = reset
		}
		l.Add(tick)
	}
	for _, row := range []struct {
		name  string
		at    time.Time
		state State
		since time.Time
		ticks int
		hour  Share
	}{
		{"before the first", after(0).Add(-time.Second), Unknown, time.Time{}, 0, Share{}},
		{"at the first", after(0), OK, time.Time{}, 0, Share{5, 5}},
		{"in a failure long ago", after(110), Failing, time.Time{}, 0, Share{45, 60}},
		{"in a failure every other time", after(250), Unknown, time.Time{}, 0, Share{32, 60}},
		{"in a success long ago", after(150), OK, time.Time{}, 0, Share{40, 60}},
		{"before the last failure but one", after(569).Add(time.Second), OK, time.Time{}, 30, Share{60, 60}},
		{"in the last failure but one", after(575).Add(time.Second), Failing, after(570), 36, Share{50, 60}},
		{"after it", after(589), OK, after(580), 50, Share{50, 60}},
		{"in the failure of now", after(595), Failing, after(590), 56, Share{40, 60}},
		{"now", after(600), Failing, after(590), 60, Share{35, 55}},
	} {
		got := l.At(row.at)
		if got.State != row.state || !got.Since.Equal(row.since) || len(got.Ticks) != row.ticks || got.Hour != row.hour {
			t.Errorf("%s: %s since %s, %d ticks, %+v, want %s, %s, %d, %+v", row.name, got.State, got.Since, len(got.Ticks),
				got.Hour, row.state, row.since, row.ticks, row.hour)
		}
	}
	if got := l.At(after(600)).Month; got != (Share{510, 600}) {
		t.Errorf("month %+v, want 510 of 600", got)
	}
	for i := range 40 { // one a day
		l.Add(Tick{Ended: after(600).Add(time.Duration(i+1) * 24 * time.Hour)})
	}
	if got := l.At(after(600).Add(40 * 24 * time.Hour)); got.Month != (Share{30, 30}) || got.Day != (Share{1, 1}) {
		t.Errorf("after 40 days: month %+v, day %+v, want 30 of 30, 1 of 1", got.Month, got.Day)
	}
}

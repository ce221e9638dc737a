package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/prober/result"
)

// counted are counters and a timeline of every kind of value.
func counted(now time.Time) (*Totals, *Timeline) {
	t, l := NewTotals(), new(Timeline)
	for n := range 200 {
		f := &result.Failure{Phase: result.Processing, Reason: result.TCPReset, Errno: 104, Origin: result.Peer, Index: n,
			Check: result.CheckStatus, Err: errors.New("hunter2")}
		if n%3 > 0 {
			f = nil
		}
		ended := now.Add(time.Duration(n-200) * 10 * time.Minute)
		a := result.Attempt{Start: ended.Add(-time.Second), Failure: f, Hops: []result.Hop{{Spans: []result.Span{
			{Phase: result.Connect, Duration: time.Duration(n) * time.Millisecond},
			{Phase: result.Processing, Duration: time.Duration(n*n) * time.Microsecond, Failed: f != nil},
		}}}}
		r := &result.Result{Attempts: []result.Attempt{a}, Start: a.Start, Elapsed: time.Second, Failure: f,
			TraceID: fmt.Sprint("trace-", n)}
		t.Add(r, numbered(n))
		l.Add(Tick{Record: numbered(n), Ended: ended, Elapsed: time.Second, Failure: f.Brief(),
			Phases: PhaseTimesOf(&a)})
		t.AddIdle(time.Minute, &result.IdleResult{Failure: f})
	}
	return t, l
}

// What is encoded goes on as it was: counters, histograms, shares, since when, and the last results, without texts.
func TestEncode(t *testing.T) {
	now := time.Now()
	totals, timeline := counted(now)
	encoded := Encode(nil, totals, timeline)
	gotTotals, gotTimeline, err := Decode(encoded, now)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		compareStates(t, now, [2]*Totals{totals, gotTotals}, [2]*Timeline{timeline, gotTimeline})
		r := &result.Result{Attempts: []result.Attempt{{}}, Start: now}
		totals.Add(r, ulid.ULID{}) // they go on alike
		gotTotals.Add(r, ulid.ULID{})
		timeline.Add(Tick{Ended: now.Add(time.Minute)})
		gotTimeline.Add(Tick{Ended: now.Add(time.Minute)})
	}
	if again := Encode(nil, gotTotals, gotTimeline); len(again) < len(encoded)-200 {
		t.Errorf("encoded again it takes %d bytes, at first %d", len(again), len(encoded))
	}
	if len(encoded) > 16<<10 {
		t.Errorf("it takes %d bytes, want at most 16 KiB", len(encoded))
	}
	if got, _, err := Decode(Encode(nil, NewTotals(), new(Timeline)), now); err != nil || got.attempts != 0 {
		t.Errorf("of nothing it decodes %+v, %v", got, err)
	}
}

func compareStates(t *testing.T, now time.Time, totals [2]*Totals, timelines [2]*Timeline) {
	t.Helper()
	var counts [2]Counts
	var at [2]Overview
	for i := range 2 {
		totals[i].CopyTo(&counts[i])
		at[i] = timelines[i].At(now)
		for j := range counts[i].Durations {
			for _, h := range counts[i].Durations[j] {
				if h != nil {
					h.exemplars = nil // they are not stored
				}
			}
		}
		for j := range at[i].Ticks {
			at[i].Ticks[j].Failure = withoutText(at[i].Ticks[j].Failure)
		}
		last := *at[i].LastFailure
		last.Failure = withoutText(last.Failure)
		at[i].LastFailure = &last
	}
	same := cmp.Options{cmp.AllowUnexported(Histogram{}), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b error) bool { return a == b })}
	if diff := cmp.Diff(counts[0], counts[1], same); diff != "" {
		t.Errorf("counters (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(at[0], at[1], same); diff != "" {
		t.Errorf("timeline (-before +after):\n%s", diff)
	}
}

func withoutText(f *result.Failure) *result.Failure {
	if f == nil {
		return nil
	}
	brief := *f
	brief.Err, brief.Extended = nil, nil
	return &brief
}

// What is damaged, cut off or of another version is an error.
func TestDecodeRefuses(t *testing.T) {
	now := time.Now()
	encoded := Encode(nil, NewTotals(), new(Timeline))
	totals, timeline := counted(now)
	counted := Encode(nil, totals, timeline)
	for n := range encoded {
		if _, _, err := Decode(encoded[:n], now); err == nil {
			t.Errorf("the first %d of %d bytes are decoded", n, len(encoded))
		}
	}
	for _, row := range []struct {
		name string
		body []byte
		want error
	}{
		{"another version", append([]byte{version + 1}, encoded[1:]...), errVersion},
		{"more behind it", append(encoded[:len(encoded):len(encoded)], 0), errDecode},
		{"other bounds of buckets", bytes.Replace(counted, binary.AppendUvarint(nil, fingerprint(bounds[1])),
			binary.AppendUvarint(nil, fingerprint(bounds[1])-1), 1), errDecode},
		{"too many kinds", append([]byte{version, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0xff, 0xff, 0xff, 0xff, 0x0f), errDecode},
	} {
		if _, _, err := Decode(row.body, now); err != row.want {
			t.Errorf("%s: the error is %v, want %v", row.name, err, row.want)
		}
	}
}

// FuzzDecode: whatever is stored, decoding ends, and what is decoded can be used.
func FuzzDecode(f *testing.F) {
	now := time.Now()
	totals, timeline := counted(now)
	f.Add(Encode(nil, totals, timeline))
	f.Add(Encode(nil, NewTotals(), new(Timeline)))
	f.Fuzz(func(t *testing.T, body []byte) {
		totals, timeline, err := Decode(body, now)
		if err != nil {
			return
		}
		r := &result.Result{Attempts: []result.Attempt{{Hops: []result.Hop{{Spans: []result.Span{
			{Phase: result.Connect, Duration: time.Millisecond}}}}}}, Start: now}
		totals.Add(r, ulid.ULID{})
		totals.CopyTo(new(Counts))
		timeline.Add(Tick{Ended: now})
		for _, tick := range timeline.At(now).Ticks {
			if tick.Failure != nil {
				_ = tick.Failure.Sentence() // does not panic
			}
		}
	})
}

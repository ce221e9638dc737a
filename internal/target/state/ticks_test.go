package state

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// Ticks are as they were added, whether they failed or not, with and without a record, also where the clock is set
// between two of them, and the oldest go.
func TestTicksAreAsTheyWereAdded(t *testing.T) {
	const flat = 48 * MaxTicks // bytes, of those that succeeded with a record
	random, start := rand.New(rand.NewPCG(1, 2)), time.Now()
	seconds := func(most int64) float32 { return float32(time.Duration(random.Int64N(most)).Seconds()) }
	for _, by := range append(faultlab.ClockSteps(), 0) {
		var k ticks
		var want []Tick
		for n := range 3 * MaxTicks {
			ended := start.Add(time.Duration(n)*15*time.Second + time.Duration(random.IntN(1000))*time.Millisecond)
			if n%40 > 20 {
				ended = faultlab.ClockSet(ended, by)
			}
			tick := Tick{Ended: ended, Elapsed: time.Duration(random.IntN(1e9)), Phases: PhaseTimes{1: seconds(1e9),
				3: seconds(1e11), 5: seconds(1e6), 8: 1e-9}}
			if n%9 == 0 && by != 0 {
				tick.Failure = &result.Failure{Index: n}
			}
			if n%4 > 0 {
				tick.Record = ulid.ULID{6: byte(n / 70), 10: 7, 15: byte(n)}
				if err := tick.Record.SetTime(uint64(ended.UnixMilli()) + uint64(n%3)); err != nil {
					t.Fatal(err)
				}
			}
			k.add(&tick)
			want = append(want, tick)
			want = want[max(0, len(want)-MaxTicks):]
			if got := k.all(); !slices.EqualFunc(got, want, sameTick) {
				t.Fatalf("clock set by %s, %d ticks: %+v, want %+v", by, n+1, got, want)
			}
		}
		if by == 0 && k.size() > flat {
			t.Errorf("%d ticks take %d bytes, want at most %d", k.n, k.size(), flat)
		}
	}
}

// sameTick compares times by both clocks.
func sameTick(a, b Tick) bool {
	ended := a.Ended.Equal(b.Ended) && a.Ended.Round(0).Equal(b.Ended.Round(0))
	a.Ended, b.Ended = time.Time{}, time.Time{}
	return ended && a == b
}

// Shares are of the newest buckets, in whatever order results come, and results long ago are forgotten.
func TestShares(t *testing.T) {
	const most = 50
	random := rand.New(rand.NewPCG(1, 2))
	var s shares
	want := map[int64]share{}
	began := int64(0)
	for range 5000 {
		if random.IntN(4) == 0 {
			began += random.Int64N(3)
		}
		at := max(0, began-random.Int64N(2))
		result := share{ok: 1}
		if random.IntN(5) == 0 {
			result = share{failed: 1}
		}
		s.count(at, result, most)
		w := want[at]
		want[at] = share{w.ok + result.ok, w.failed + result.failed}
		all := slices.Collect(s.all())
		if len(all) > most || len(all) < min(most, len(want)) || cap(s.packed) > 6*most {
			t.Fatalf("%d buckets in %d bytes of %d, want at most %d", len(all), cap(s.packed), len(want), most)
		}
		for i, b := range all {
			if b.share != want[b.began] || s.find(b.began) != b.share || i > 0 && b.began <= all[i-1].began {
				t.Fatalf("bucket %d: %+v, want %+v", b.began, b.share, want[b.began])
			}
		}
	}
}

// BenchmarkTimeline is what noting a result on a timeline costs.
func BenchmarkTimeline(b *testing.B) {
	l, tick := new(Timeline), Tick{Ended: time.Now(), Elapsed: time.Second, Record: ulid.ULID{1},
		Phases: PhaseTimes{0, 1, 2, 3, 4, 5, 6}}
	for b.Loop() {
		tick.Ended = tick.Ended.Add(15 * time.Second)
		l.Add(tick)
	}
}

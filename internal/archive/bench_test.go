package archive

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/bench"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/store"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// scraped is 1,000 targets that are scraped every fifteen seconds.
type scraped struct {
	*lab
	store   *store.Store // may be nil
	keys    [1000]string
	targets [1000]*target.Known
	all     [1000]*watch.Published
	bases   [2]result.Result
	n       int
}

func newScraped(s *store.Store) *scraped {
	t := &scraped{lab: start(s, slog.New(slog.DiscardHandler)), store: s}
	t.bases = [2]result.Result{*probe(1, '.').Result, resulttest.ConnectRefused()}
	t.bases[1].URL, t.bases[1].Module = t.bases[0].URL, t.bases[0].Module
	for k := range t.targets {
		key := target.Identity{Name: fmt.Sprint("target-", k)}.Key()
		t.keys[k], t.targets[k] = string(key[:]), target.NewKnown()
	}
	return t
}

// next is the next scrape, of which so many targets fail.
func (t *scraped) next(failing int) {
	t.n++
	at, m := began(0).Add(time.Duration(t.n)*15*time.Second), module.New("api")
	for k := range t.all {
		r := t.bases[0]
		if k < failing {
			r = t.bases[1]
		}
		r.Start = at
		p := &watch.Published{ID: ulid.ULID{14: byte(k >> 8), 15: byte(k)}, Target: fmt.Sprint("target-", k), Result: &r,
			Module: m}
		_ = p.ID.SetTime(ulid.Timestamp(at)) // of this century
		t.all[k] = p
	}
}

// publish publishes the scrape. Once a minute what is minor is stored, and every five minutes the counters, as package
// watch does for as many targets.
func (t *scraped) publish(b *testing.B) {
	for k, p := range t.all {
		t.lab.publish(p)
		known := t.targets[k]
		known.Totals.Add(p.Result, p.ID)
		known.Timeline.Add(state.Tick{Record: p.ID, Ended: p.Result.Start, Elapsed: p.Result.Elapsed,
			Phases: state.PhaseTimesOf(p.Result.Last()), Failure: p.Result.Failure.Brief()})
	}
	if t.n%4 == 0 {
		if err := t.store.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	if t.n%20 > 0 {
		return
	}
	var body []byte
	if err := t.store.SaveTotals(func(yield func(string, []byte) bool) {
		for k, key := range t.keys {
			if body = state.Encode(body[:0], t.targets[k].Totals, t.targets[k].Timeline); !yield(key, body) {
				return
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
}

// pace is between two scrapes of the benchmark, of which none waits for the disk.
const pace = 10 * time.Millisecond

// BenchmarkScrape is the CPU time that the store takes of a scrape of 1,000 targets, every fifteen seconds, of which
// 100 fail: summaries of incidents, records with their text and JSON, counters, and the commits. It is that of publishing
// with the store less that of publishing without it, in turns.
//
//	go test ./internal/archive -run '^$' -bench BenchmarkScrape -benchtime 200x
func BenchmarkScrape(b *testing.B) {
	s := sized(b, pace/5)
	with, without := newScraped(s), newScraped(nil)
	warm := 60 + 4 // results that a target keeps
	var cost time.Duration
	for n := range warm + b.N {
		for _, t := range []*scraped{with, without} {
			t.next(100)
			before := bench.CPU(b)
			t.publish(b)
			time.Sleep(pace) // in which what is urgent is committed
			if took := bench.CPU(b) - before; n >= warm && t == with {
				cost += took
			} else if n >= warm {
				cost -= took
			}
		}
	}
	b.ReportMetric(float64(cost.Microseconds())/1000/float64(b.N), "cpu-ms/scrape")
}

// BenchmarkBegin is 1,000 targets that begin to fail in one scrape: how long the probes' answers wait, and the CPU time
// with that of the store.
//
//	go test ./internal/archive -run '^$' -bench BenchmarkBegin -benchtime 10x
func BenchmarkBegin(b *testing.B) {
	var waited, cost time.Duration
	for range b.N {
		t := newScraped(sized(b, time.Second))
		t.next(1000)
		before, began := bench.CPU(b), time.Now()
		for _, p := range t.all {
			t.lab.publish(p)
		}
		waited += time.Since(began)
		if err := t.store.Flush(); err != nil {
			b.Fatal(err)
		}
		cost += bench.CPU(b) - before
		if got := t.store.Stats(); got.Records != 1000 {
			b.Fatalf("the figures are %+v, want 1,000 records", got)
		}
		t.store.Close()
	}
	b.ReportMetric(float64(waited.Microseconds())/1000/float64(b.N), "ms-answers-wait")
	b.ReportMetric(float64(cost.Microseconds())/1000/float64(b.N), "cpu-ms")
}

// sized is a store of the default size.
func sized(b *testing.B, every time.Duration) *store.Store {
	b.Helper()
	s, err := store.Open(store.Options{Path: b.TempDir(), Retention: 1e6 * time.Hour, MaxSize: 512 << 20, Every: every,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s
}

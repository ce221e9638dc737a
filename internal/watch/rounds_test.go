package watch

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// Rounds begin at once and follow each other, one at a time, until Close.
func TestRounds(t *testing.T) {
	const rounds = 5
	var running, most atomic.Int64
	asked := make(chan struct{})
	url := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer running.Add(-1)
		select {
		case asked <- struct{}{}: // while nobody takes it, intervals pass
		case <-r.Context().Done():
		}
	}))
	b := newTested(t, parse(t, "targets:\n"+item("a", url)))
	b.Every(time.Millisecond)
	for range rounds {
		<-asked
	}
	b.Close()
	if most.Load() != 1 {
		t.Errorf("%d probes of the target at a time, want 1", most.Load())
	}
	if n := len(b.ended); n < rounds-1 {
		t.Errorf("%d probes have ended, want at least %d", n, rounds-1)
	}
	if b.background.Start(func() {}) {
		t.Error("after Close something may start")
	}
}

// Scrapes share the result of a round; "probe now" probes. Without rounds every scrape probes.
func TestScrapesShareRounds(t *testing.T) {
	for _, row := range []struct {
		name     string
		interval time.Duration
		want     [4]int64 // requests after: the first round, two scrapes, a probe by name, one now
	}{
		{"with rounds", time.Hour, [4]int64{1, 1, 1, 2}},
		{"without", 0, [4]int64{0, 2, 3, 4}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newGate(t)
			close(g.release)
			b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
			t.Cleanup(b.Close)
			if row.interval > 0 {
				b.Every(row.interval)
				<-b.ended
			}
			got := [4]int64{g.asked.Load()}
			for range 2 {
				if states := b.Scrape(t.Context(), time.Minute); states[0].Outcome == nil ||
					states[0].Outcome.Result.Failure != nil {
					t.Errorf("a scrape has %+v, want a success", states[0].Outcome)
				}
			}
			got[1] = g.asked.Load()
			if _, known := b.ProbeTarget(t.Context(), "a", time.Minute); !known {
				t.Error("the target is not known")
			}
			got[2] = g.asked.Load()
			if _, known := b.ProbeNow(t.Context(), "a", time.Minute); !known {
				t.Error("the target is not known")
			}
			if got[3] = g.asked.Load(); got != row.want {
				t.Errorf("%d requests, want %d", got, row.want)
			}
			if b.Interval() != row.interval {
				t.Errorf("the interval is %s, want %s", b.Interval(), row.interval)
			}
		})
	}
}

// A reload keeps the rounds, and what it adds is shared, too.
func TestRoundsAfterAReload(t *testing.T) {
	g := newGate(t)
	close(g.release)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
	t.Cleanup(b.Close)
	b.Every(time.Hour)
	<-b.ended // the first round is over
	b.Apply(parse(t, "targets:\n"+item("a", g.url)+item("b", g.url)))
	for range 3 {
		b.Scrape(t.Context(), time.Minute)
	}
	if n := g.asked.Load(); n != 2 {
		t.Errorf("%d requests, want one of each target", n)
	}
}

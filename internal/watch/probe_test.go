package watch

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// gate is a server that answers when it is let to.
type gate struct {
	url     string
	asked   atomic.Int64
	arrived chan struct{} // one for each request
	release chan struct{} // closed: answer
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 100), release: make(chan struct{})}
	g.url = faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		g.arrived <- struct{}{}
		select {
		case <-g.release:
		case <-r.Context().Done():
		}
	}))
	return g
}

// waiting is a scrape's context that says when the scrape has joined its probes and begins to wait.
type waiting struct {
	context.Context
	once sync.Once
	told chan struct{}
}

func newWaiting(ctx context.Context) *waiting {
	return &waiting{Context: ctx, told: make(chan struct{})}
}

func (w *waiting) Done() <-chan struct{} {
	w.once.Do(func() { close(w.told) })
	return w.Context.Done()
}

// Two scrapes at the same time are one probe, counted once.
func TestSharedProbe(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
	states := make(chan State, 2)
	scrape := func(ctx context.Context) { states <- b.Scrape(ctx, 20*time.Second)[0] }
	go scrape(t.Context())
	<-g.arrived
	second := newWaiting(t.Context())
	go scrape(second)
	<-second.told
	close(g.release)
	one, two := <-states, <-states
	if one.Outcome == nil || one.Outcome != two.Outcome {
		t.Errorf("the scrapes have outcomes %p and %p, want the same one", one.Outcome, two.Outcome)
	}
	if g.asked.Load() != 1 || len(b.ended) != 1 || b.own(t, "errno_exporter_probes_total") != 1 {
		t.Errorf("%d requests, %d probes ended, %v counted, want 1 of each", g.asked.Load(), len(b.ended),
			b.own(t, "errno_exporter_probes_total"))
	}
	if again := b.Scrape(t.Context(), 20*time.Second)[0]; sameProbe(again.Outcome, one.Outcome) {
		t.Error("a scrape after the probe has its result, without min_interval")
	}
}

// A scrape that is cancelled leaves the probe to the others, even when it was the one that started it.
func TestCancelledScrape(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan []State, 1)
	go func() { first <- b.Scrape(ctx, 20*time.Second) }()
	<-g.arrived
	second := newWaiting(t.Context())
	other := make(chan []State, 1)
	go func() { other <- b.Scrape(second, 20*time.Second) }()
	<-second.told
	cancel()
	if states := <-first; states != nil {
		t.Errorf("the cancelled scrape returned %v, want nothing", states)
	}
	close(g.release)
	state := (<-other)[0]
	if state.Outcome == nil || state.Outcome.Result.Failure != nil {
		t.Errorf("the other scrape has %+v, want a success", state.Outcome)
	}
	if g.asked.Load() != 1 {
		t.Errorf("%d requests, want 1", g.asked.Load())
	}
}

// A probe continues to its end though no scrape waits for it any more, and its result counts.
func TestCancelledAlone(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url)))
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan []State, 1)
	go func() { first <- b.Scrape(ctx, 20*time.Second) }()
	<-g.arrived
	cancel()
	<-first
	close(g.release)
	if r := <-b.ended; r.Failure != nil {
		t.Errorf("failure %+v, want none", r.Failure)
	}
}

// A probe of /probe that its client cancels is abandoned, and does not count.
func TestCancelledProbe(t *testing.T) {
	g := newGate(t)
	c := parse(t, "")
	b := newTested(t, c)
	target, err := prober.ParseTarget(g.url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	go func() { <-g.arrived; cancel() }()
	state, err := b.Probe(ctx, target, c.Modules["api"])
	o := state.Outcome
	if err != nil || o.Result.Failure == nil || o.Result.Failure.Reason != result.Abandoned {
		t.Fatalf("Probe() = %+v, %v, want a result with reason abandoned", o, err)
	}
	if got := exposed(state.Totals)["probe_attempts_total"]; got != 0 {
		t.Errorf("probe_attempts_total %v, want 0", got)
	}
}

// min_interval gives the last result again, with its age, and no second request.
func TestMinInterval(t *testing.T) {
	g := newGate(t)
	close(g.release)
	b := newTested(t, parse(t, "targets:\n"+item("often", g.url)+item("seldom", g.url, "min_interval: 1h")))
	first := b.Scrape(t.Context(), 20*time.Second)
	second := b.Scrape(t.Context(), 20*time.Second)
	for i, want := range []struct {
		name   string
		same   bool
		aged   bool
		counts float64
	}{{"often", false, false, 2}, {"seldom", true, true, 1}} {
		got := second[i]
		if got.Target.Name != want.name || got.Outcome == nil ||
			(sameProbe(got.Outcome, first[i].Outcome)) != want.same || (got.Age > 0) != want.aged || first[i].Age != 0 {
			t.Errorf("%s: ages %s and then %s, the same outcome %t; want it aged %t, the same %t",
				got.Target.Name, first[i].Age, got.Age, sameProbe(got.Outcome, first[i].Outcome), want.aged, want.same)
		}
		if attempts := exposed(got.Totals)["probe_attempts_total"]; attempts != want.counts {
			t.Errorf("%s: probe_attempts_total %v, want %v", want.name, attempts, want.counts)
		}
	}
	if g.asked.Load() != 3 {
		t.Errorf("%d requests, want 3", g.asked.Load())
	}
}

// A reload keeps what was counted of the targets that stay and their last results, drops what goes, and begins what
// comes.
func TestApply(t *testing.T) {
	g := newGate(t)
	close(g.release)
	b := newTested(t, parse(t, "targets:\n"+item("stays", g.url)+item("goes", g.url)+item("moves", g.url)))
	b.Scrape(t.Context(), 20*time.Second)
	b.Apply(parse(t, "targets:\n"+item("comes", g.url)+item("moves", g.url+"elsewhere")+item("stays", g.url,
		"min_interval: 1h")))
	got := map[string]float64{}
	for _, state := range b.Scrape(t.Context(), 20*time.Second) {
		got[state.Target.Name] = exposed(state.Totals)["probe_attempts_total"]
	}
	want := map[string]float64{"stays": 1, "comes": 1, "moves": 1} // the first has its result of before
	if len(got) != len(want) || got["stays"] != want["stays"] || got["comes"] != want["comes"] ||
		got["moves"] != want["moves"] {
		t.Errorf("probe_attempts_total %v, want %v", got, want)
	}
	if n := b.own(t, "errno_exporter_targets"); n != 3 {
		t.Errorf("errno_exporter_targets %v, want 3", n)
	}
}

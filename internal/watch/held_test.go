package watch

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/history"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
)

// store is one that the test fills: what it says that it holds, and how it lets go of that.
type store struct {
	name string
	held int
	drop func()
}

// filled is an exporter's stores.
type filled struct {
	*Watch
	prober  *prober.Prober
	records *history.History
}

// fill fills every store by probes of servers that send as much as they may, as often as the stores have places for.
func fill(t *testing.T, c *config.Config, rounds int) *filled {
	t.Helper()
	f := &filled{prober: prober.New(prober.Options{}), records: history.New(100)}
	record := func(p *Published) { // as web.RecordIn does, which this package cannot import
		if p.Later {
			f.records.Diagnosed(p.ID, p.Found)
			return
		}
		f.records.Add(history.Record{ID: p.ID, Result: p.Result, Module: p.Module, Found: p.Found})
	}
	f.Watch = New(Options{Prober: f.prober, Remember: 500, Registry: prometheus.NewRegistry(), Sinks: []Sink{record}})
	f.Apply(c)
	for range rounds {
		if f.Scrape(t.Context(), 60*time.Second) == nil {
			t.Fatal("a scrape was cancelled")
		}
	}
	refused := faultlab.ClosedPort(t)
	for i := range 8 * rounds {
		refusing, err := prober.ParseTarget(fmt.Sprint(refused, i, "?", strings.Repeat("x", 4000)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, err := f.Probe(ctx, refusing, c.Modules["plain"]); err != nil {
			t.Error(err)
		}
		cancel()
	}
	f.Close() // idle connections end, their fates stay
	return f
}

// stores are all that are filled.
func (f *filled) stores() []store {
	h := f.held()
	each := func(drop func(*target.Target)) func() {
		return func() {
			for _, t := range f.current() {
				drop(t)
			}
		}
	}
	return []store{
		{"records", f.records.Size(), func() { f.records = nil }},
		{"last results", h.last,
			each(func(t *target.Target) { t.Results = target.Results{}; t.Probes.Forget() })},
		{"timelines", h.timelines, each(func(t *target.Target) { t.Timeline = nil })},
		{"digests and experiments", h.evidence,
			each(func(t *target.Target) { t.Evidence = target.Evidence{} })},
		{"fates of idle connections", h.fates, each(func(t *target.Target) { t.Idle = new(target.IdlePool) })},
		{"states of reference targets", h.references, func() { f.references.Apply(nil) }},
		{"totals of remembered targets", h.remembered, func() { f.others = target.NewRemembered(1) }},
		{"verified chains", f.prober.Held(), func() { f.prober, f.Watch.prober = nil, nil }},
		{"totals of configured targets", h.targets,
			each(func(t *target.Target) { t.Known = target.NewKnown(); t.Timeline = nil })},
	}
}

// What all stores hold after the worst that servers can send takes at most half as much again as they say, each of them
// and all together.
func TestStoresAreCharged(t *testing.T) {
	c := worst(t)
	idle := runtime.NumGoroutine()
	fill(t, c, 1) // so that what is made once is there
	settle(t, idle)
	before := settled()
	f := fill(t, c, state.MaxTicks+2)
	settle(t, idle)
	took, said := settled()-before, int64(0)
	for _, lasting := range f.current() {
		if n := lasting.Results.Size(); n > maxLast {
			t.Errorf("the last result of %s takes %d bytes, want at most %d", lasting.Config.Name, n, maxLast)
		}
	}
	stores := f.stores()
	for _, s := range stores {
		said += int64(s.held)
	}
	if took > said*3/2 || said < 5<<20 {
		t.Errorf("all stores take %d bytes, and say %d: want at most 1.5 times that, and at least 5 MB", took, said)
	}
	t.Logf("all: %d bytes live, %d accounted", took, said)
	for _, s := range stores {
		full := settled()
		s.drop()
		freed := full - settled()
		t.Logf("%s: %d bytes live, %d accounted", s.name, freed, s.held)
		noise := 16<<10 + said/10 // of the runtime and the servers, which may free what was theirs meanwhile
		if freed > int64(s.held)*3/2+noise || s.held == 0 {
			t.Errorf("%s take %d bytes, and say %d: want at most 1.5 times that", s.name, freed, s.held)
		}
	}
	claims.Prove(t, "last result of a configured target", maxLast)
}

// settle waits until no more goroutines run than before: the servers, which share the heap, have noticed that their
// connections are closed.
func settle(t *testing.T, goroutines int) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for range 1000 {
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		<-ticker.C
	}
	t.Fatalf("%d goroutines run, want at most %d", runtime.NumGoroutine(), goroutines)
}

// settled is the heap in use when collections have found no more to free for a while: finalizers and cleanups run
// beside them.
func settled() int64 {
	const enough = 20 // collections in a row
	last := claims.LiveHeap()
	for same := 0; same < enough; same++ {
		time.Sleep(10 * time.Millisecond) // lets them run
		now := claims.LiveHeap()
		if now < last-1024 {
			same = 0
		}
		last = now
	}
	return last
}

// worst is a configuration of servers that send as much as they may.
func worst(t *testing.T) *config.Config {
	t.Helper()
	line := func(n int) string { return strings.Repeat("x", n) }
	served := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 95 {
			w.Header().Set(fmt.Sprint("Field-", i), line(400))
		}
	}))
	urls := map[string]string{
		"big":     faultlab.BigHead(t),
		"phrase":  faultlab.ReasonPhrase(t, 900<<10),
		"mid":     faultlab.ReasonPhrase(t, 3000),
		"garbage": faultlab.Answer(t, line(8<<10)+"\r\n\r\n"),
		"names":   faultlab.ManyNames(t),
		"limited": faultlab.Answer(t, "HTTP/1.1 429 "+line(3900)+"\r\nRetry-After: "+
			"1\r\nX-Ratelimit-Limit: "+line(4000)+"\r\nContent-Length: 0\r\n\r\n"),
		"h2":        faultlab.H2BigHead(t),
		"served":    served,
		"redirects": faultlab.RedirectsWithBigHeads(t),
	}
	text := "targets:\n"
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		var more []string
		if name == "redirects" {
			more = append(more, "min_interval: 1h") // it takes long
		}
		text += item(name, urls[name], more...)
	}
	text += "control_targets:\n"
	for i := range 16 {
		text += fmt.Sprintf("  - {name: r%d-%s, address: %q}\n", i, line(100),
			strings.TrimSuffix(strings.TrimPrefix(served, "http://"), "/"))
	}
	c := parse(t, text)
	plain := *c.Modules["api"]
	plain.Name = "plain"
	c.Modules["plain"] = &plain
	m := c.Modules["api"]
	m.KeepBody = true
	m.Diagnose.OnFailure, m.Diagnose.MaxPerHour = true, 3
	for i := range 20 {
		m.Keepalive = append(m.Keepalive, time.Duration(i+1)*time.Millisecond)
	}
	return c
}

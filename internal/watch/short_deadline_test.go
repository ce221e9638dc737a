package watch

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/target/state"
)

// waitFor waits for the probes of a target that are under way.
func (b *tested) waitFor(name string) {
	for _, t := range b.current() {
		if t.Config.Name != name {
			continue
		}
		for _, f := range t.Probes.InFlight() {
			<-f.Ended
		}
	}
}

// sums is what totals expose, by the metric's name, whatever its labels.
func sums(totals *state.Totals) map[string]float64 {
	e := metrics.NewExposition()
	e.Totals(totals, metrics.Kept{})
	all := map[string]float64{}
	for line := range strings.Lines(e.Text()) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndex(line, " "); !strings.HasPrefix(line, "#") {
			name, _, _ := strings.Cut(line[:i], "{")
			value, _ := strconv.ParseFloat(line[i+1:], 64)
			all[name] += value
		}
	}
	return all
}

// act is what a server does with a request.
type act int32

const (
	answers act = iota
	stalls
	fails
)

// What is known of a target after its callers' probes. A failure by one caller's short deadline is in what that caller
// gets, and nowhere else.
func TestShortDeadlineIsTheCallers(t *testing.T) {
	type call struct {
		budget time.Duration
		act    act
	}
	type known struct {
		Attempts, Failures float64
		Ticks, Failed      int
		Verdict, LastFails bool
	}
	for _, row := range []struct {
		name    string
		timeout time.Duration // of the module
		calls   []call
		want    known
	}{
		{"10 ms, first of all", 0, []call{{10 * time.Millisecond, stalls}, {10 * time.Millisecond, stalls}}, known{}},
		{"10 ms, first of all, with a module's timeout", 30 * time.Second,
			[]call{{10 * time.Millisecond, stalls}, {10 * time.Millisecond, stalls}}, known{}},
		{"10 ms beside scrapes", 0, []call{{20 * time.Second, answers}, {10 * time.Millisecond, stalls},
			{20 * time.Second, answers}}, known{2, 0, 2, 0, false, false}},
		{"600 ms beside scrapes", 0, []call{{20 * time.Second, answers}, {600 * time.Millisecond, stalls},
			{600 * time.Millisecond, stalls}}, known{1, 0, 1, 0, false, false}},
		{"scrapes of 2 s, the module has more", 30 * time.Second,
			[]call{{2 * time.Second, stalls}, {2 * time.Second, stalls}}, known{2, 2, 2, 2, true, true}},
		{"the module's timeout", 300 * time.Millisecond, []call{{20 * time.Second, stalls}},
			known{1, 1, 1, 1, true, true}},
		{"no deadline ended it", 0, []call{{20 * time.Second, answers}, {10 * time.Second, fails}},
			known{2, 1, 2, 1, true, true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var now atomic.Int32
			url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch act(now.Load()) {
				case stalls:
					<-r.Context().Done()
				case fails:
					w.WriteHeader(http.StatusInternalServerError)
				}
			}))
			c := parse(t, "targets:\n"+item("a", url))
			c.Modules["api"].Timeout = row.timeout
			b := newTested(t, c)
			t.Cleanup(b.Close)
			for i, call := range row.calls {
				now.Store(int32(call.act))
				state, _ := b.ProbeTarget(t.Context(), "a", call.budget)
				b.waitFor("a") // a caller's time may end a moment before its probe does
				if failed := seen(state) != ""; failed != (call.act != answers) {
					t.Errorf("caller %d has %q", i, seen(state))
				}
			}
			status := b.Status()[0]
			totals := sums(b.current()[0].Totals)
			got := known{
				totals["probe_attempts_total"], totals["probe_failures_total"], len(status.Timeline.Ticks),
				int(status.Timeline.All.Probes - status.Timeline.All.Succeeded), status.Verdict != nil,
				status.Last != nil && status.Last.Result.Failure != nil,
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A short deadline's failure does not let its caller probe more often than min_interval allows.
func TestShortDeadlineKeepsMinInterval(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "targets:\n"+item("a", g.url, "min_interval: 1h")))
	t.Cleanup(b.Close)
	for range 3 {
		b.ProbeTarget(t.Context(), "a", 350*time.Millisecond)
		b.waitFor("a")
	}
	if n := g.asked.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	close(g.release)
	if state := b.Scrape(t.Context(), 20*time.Second)[0]; seen(state) != "" {
		t.Errorf("a scrape has %q, want a success", seen(state))
	}
}

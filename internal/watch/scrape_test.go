package watch

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// exposed is the samples without labels that totals expose.
func exposed(totals *state.Totals) map[string]float64 {
	e := metrics.NewExposition()
	e.Totals(totals, metrics.Kept{})
	samples := map[string]float64{}
	for line := range strings.Lines(e.Text()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" &&
			!strings.Contains(name, "{") {
			samples[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return samples
}

// 1,000 targets of which every tenth stalls: the answer is there within the deadline, the healthy ones are healthy, and
// those that stall say so.
func TestStalledAmongHealthy(t *testing.T) {
	healthy, stalled := faultlab.Handler(t, faultlab.Healthy), faultlab.Silent(t)
	var targets strings.Builder
	for i := range 1000 {
		url := healthy
		if i%10 == 0 {
			url = stalled
		}
		targets.WriteString(item("t"+strconv.Itoa(i), url))
	}
	b := newTested(t, parse(t, "targets:\n"+targets.String()))
	const budget = 8 * time.Second
	began := time.Now()
	states := b.Scrape(t.Context(), budget)
	if took := time.Since(began); took > budget {
		t.Errorf("the scrape took %s of %s", took, budget)
	}
	got := map[string]int{}
	for i, state := range states {
		what := "nothing"
		if state.Outcome != nil {
			what = "success"
			if f := state.Outcome.Result.Failure; f != nil {
				what = fmt.Sprintf("%s/%s/%s", f.Phase, f.Reason, f.Origin)
			}
		}
		if state.Target.Name != "t"+strconv.Itoa(i) {
			t.Fatalf("place %d has %s", i, state.Target.Name)
		}
		got[fmt.Sprintf("stalls %t: %s", i%10 == 0, what)]++
	}
	want := map[string]int{"stalls true: processing/http.response.timed_out/self": 100, "stalls false: success": 900}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A target that finds no slot is not probed, and not blamed.
func TestNotStarted(t *testing.T) {
	g := newGate(t)
	b := newTested(t, parse(t, "probe_policy: {max_concurrent: 1}\ntargets:\n"+item("first", g.url)+item("waits",
		g.url)))
	t.Cleanup(b.Close)
	first := make(chan State, 1)
	go func() {
		state, _ := b.ProbeTarget(t.Context(), "first", time.Minute)
		first <- state
	}()
	<-g.arrived // it has the slot
	waits, _ := b.ProbeTarget(t.Context(), "waits", 2*time.Second)
	close(g.release)
	if got := seen(<-first); got != "" {
		t.Errorf("the one with the slot has %q, want a success", got)
	}
	if waits.Outcome != nil {
		t.Errorf("the one without has %+v, want nothing", waits.Outcome)
	}
	b.waitFor("waits")
	if attempts := exposed(waits.Totals)["probe_attempts_total"]; attempts != 0 {
		t.Errorf("probe_attempts_total %v, want 0", attempts)
	}
	if got := b.own(t, "errno_exporter_probe_slots"); got != 1 {
		t.Errorf("errno_exporter_probe_slots %v, want 1", got)
	}
	if got := b.own(t, "errno_exporter_probes_not_started_total"); got != 1 {
		t.Errorf("errno_exporter_probes_not_started_total %v, want 1", got)
	}
}

// The slowest probes start first, and those before them that nobody knows. One that nobody waits for is left out.
func TestLaunch(t *testing.T) {
	asked := make(chan string, 10)
	server := faultlab.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	var items strings.Builder
	for i := range 5 {
		items.WriteString(item(strconv.Itoa(i), server+strconv.Itoa(i)))
	}
	b := newTested(t, parse(t, "targets:\n"+items.String()))
	t.Cleanup(b.Close)
	now := time.Now()
	var starting []due
	for i, took := range []time.Duration{time.Millisecond, time.Minute, -1, time.Second, 2 * time.Second} {
		t := b.current()[i]
		if took >= 0 {
			t.Results.Note(&target.Outcome{Result: &result.Result{Elapsed: took,
				Attempts: []result.Attempt{{Hops: []result.Hop{{}}}}}})
		}
		f, _ := t.Probes.Join(t.Claim(now, now.Add(time.Minute), 0))
		starting = append(starting, due{t, f, t.Results.Expected()})
	}
	starting[3].target.Probes.Leave(starting[3].probe)
	b.start(starting, 0)
	var order []string
	for _, l := range starting {
		<-l.probe.Ended
		order = append(order, l.target.Config.Name)
	}
	if want := []string{"2", "1", "4", "3", "0"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
	var got []string
	for range len(asked) {
		got = append(got, <-asked)
	}
	slices.Sort(got)
	if want := []string{"/0", "/1", "/2", "/4"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestProbeTarget(t *testing.T) {
	b := newTested(t, parse(t, "targets:\n"+item("a", faultlab.Handler(t, faultlab.Healthy))))
	state, known := b.ProbeTarget(t.Context(), "a", 20*time.Second)
	if !known || state.Target.Name != "a" || state.Outcome == nil || state.Outcome.Result.Failure != nil {
		t.Errorf("ProbeTarget(a) = %+v, %t, want a success", state, known)
	}
	if _, known := b.ProbeTarget(t.Context(), "b", 20*time.Second); known {
		t.Error("ProbeTarget(b) knows b, which is not configured")
	}
}

package watch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// exposed is the samples without labels that totals expose.
func exposed(totals *state.Totals) map[string]float64 {
	e := metrics.NewExposition()
	e.Totals(totals)
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

// launches are flights that are to start, with what their probes took last, each by a module with a timeout.
func launches(timeout time.Duration, took ...time.Duration) []launch {
	var all []launch
	for i, d := range took {
		t := &target{memo: newMemo(), config: &config.Target{Name: strconv.Itoa(i),
			Module: &module.Module{Timeout: timeout}}}
		if d >= 0 {
			t.last = &Outcome{Result: &result.Result{Elapsed: d}}
		}
		f := &flight{landed: make(chan struct{}), waiting: 1}
		t.flights = []*flight{f}
		all = append(all, launch{t, f, t.expected()})
	}
	return all
}

func TestPace(t *testing.T) {
	for _, test := range []struct {
		name            string
		targets         int
		timeout, budget time.Duration
		want            time.Duration
	}{
		{"no targets", 0, time.Second, 10 * time.Second, 0},
		{"few targets", 10, 10 * time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"as many as fit into half of the time", 950, 10 * time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"more: closer together", 4750, 10 * time.Second, 9500 * time.Millisecond, time.Millisecond},
		{"short timeouts: what they leave", 1500, time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"short timeouts and many", 8330, time.Second, 9500 * time.Millisecond, 918007 * time.Nanosecond},
		{"no timeout", 100, 0, 200 * time.Millisecond, time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := pace(launches(test.timeout, make([]time.Duration, test.targets)...),
				test.budget); got.Round(time.Nanosecond) != test.want {
				t.Errorf("pace() = %s, want %s", got, test.want)
			}
		})
	}
}

// Starts are apart, the slowest first and those before it that nobody knows; one that nobody waits for is left out.
func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := launches(time.Second, time.Millisecond, time.Minute, -1, time.Second, 2*time.Second)
		all[3].target.leave(all[3].flight)
		began := time.Now()
		started := make(chan string, len(all))
		start(slices.Clone(all), 5*time.Millisecond, func(t *target, f *flight) {
			started <- fmt.Sprintf("%s at %s", t.config.Name, time.Since(began))
		})
		synctest.Wait()
		close(started)
		var got []string
		for s := range started {
			got = append(got, s)
		}
		want := []string{"2 at 0s", "1 at 5ms", "4 at 10ms", "0 at 20ms"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		select {
		case <-all[3].flight.landed:
		default:
			t.Error("the flight that nobody waits for has not ended")
		}
	})
}

func TestReserve(t *testing.T) {
	for _, test := range []struct {
		budget  time.Duration
		targets int
		want    time.Duration
	}{
		{9500 * time.Millisecond, 1, 20100 * time.Microsecond},
		{9500 * time.Millisecond, 1000, 120 * time.Millisecond},
		{100 * time.Millisecond, 1, 10 * time.Millisecond},
	} {
		if got := reserve(test.budget, test.targets); got != test.want {
			t.Errorf("reserve(%s, %d) = %s, want %s", test.budget, test.targets, got, test.want)
		}
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

package incidents

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What the bars say of verdicts: an incident that is wrong each time fails, one verdict of a busy machine does not.
func TestBars(t *testing.T) {
	incidentOf := incident{name: "a", labels: "L", party: "server", right: "right", happen: func(*site) {}}
	good := said{reliable: true, labels: "L", cause: "right", party: "server", confident: high}
	before := said{reliable: true, ok: true, cause: "none"}
	with := func(change func(*said)) said {
		p := good
		change(&p)
		return p
	}
	badLabels := with(func(p *said) { p.labels = "other" })
	badParty := with(func(p *said) { p.party = "path" })
	badCause := with(func(p *said) { p.cause = "other" })
	starved := with(func(p *said) { p.labels, p.party, p.cause, p.starved = "other", "path", "other", true })
	for _, row := range []struct {
		name   string
		probes []said // of each bad target
		bad    int    // of 100 targets of one incident, and of 100 other incidents with four targets none
		before said
		failed string
	}{
		{"all right", []said{good, good, good, good}, 100, before, ""},
		{"one target's labels", []said{badLabels, badLabels, badLabels, badLabels}, 1, before, ""},
		{"a third of the labels", []said{badLabels, badLabels, badLabels, badLabels}, 34, before, "a: labels is wrong"},
		{"each first party", []said{badParty, good, good, good}, 100, before, "a: party is wrong"},
		{"each cause with high confidence", []said{badCause, badCause, badCause, badCause}, 51, before,
			"a: a cause with high confidence is wrong"},
		{"without CPU time", []said{good, starved, starved, starved}, 50, before, ""},
		{"without CPU time, each time", []said{starved, starved, starved, starved}, 100, before, "a: labels is wrong"},
		{"each history", []said{good, good, good, good}, 100, said{reliable: true}, "a: history is wrong"},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := seen{kind: kind{history: true}, before: []said{before}, probes: []said{good, good, good, good}}
			all, results := []incident{incidentOf}, [][]seen{slices.Repeat([]seen{target}, 100)}
			for n := range row.bad {
				results[0][n].before, results[0][n].probes = []said{row.before}, row.probes
			}
			for range 100 {
				other := incidentOf
				other.name = "other"
				all, results = append(all, other), append(results, slices.Repeat([]seen{target}, 40))
			}
			failed, _, _ := failures(all, results)
			if got := strings.Join(failed, "; "); !strings.HasPrefix(got, row.failed) || (got == "") != (row.failed == "") {
				t.Errorf("failed %q, want %q", got, row.failed)
			}
		})
	}
}

// A witness tells the seconds without CPU time from those with it.
func TestWitness(t *testing.T) {
	at := time.Now()
	w := &witness{began: at, starved: map[int]bool{}}
	w.mark(at.Add(2500*time.Millisecond), at.Add(3500*time.Millisecond))
	for _, row := range []struct {
		from, to time.Duration
		saw      bool
	}{
		{0, time.Second, false},
		{0, 2 * time.Second, true},
		{3 * time.Second, 5 * time.Second, true},
		{4 * time.Second, 9 * time.Second, false},
	} {
		if got := w.saw(at.Add(row.from), at.Add(row.to)); got != row.saw {
			t.Errorf("saw(%s, %s) = %v, want %v", row.from, row.to, got, row.saw)
		}
	}
}

package incidents

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// often reports whether an incident is wrong by its nature: on more than one target without lost packets, and in more
// than so many of a hundred verdicts; without CPU time to spare in more than three quarters, and four.
func (c *counts) often(what string, percent int) bool {
	t := c.quiet[what]
	bad, all := t.wrong+t.excused, t.all()+t.excused
	return c.targets[what] >= 2 && (t.wrong*100 > percent*t.all() || bad >= 4 && bad*4 > 3*all)
}

// failures are the bars that do not hold, of each incident and of all. What is wrong once in a while is within them;
// what is wrong each time is not. Bad are the incidents to look at.
func failures(all []incident, results [][]seen) (failed []string, sum counts, bad []*incident) {
	sum = newCounts()
	for n := range all {
		if results[n] == nil {
			continue
		}
		c := countAll(&all[n], results[n])
		sum.add(c)
		before := len(failed)
		for _, what := range []string{history, labels, party} {
			if c.often(what, 25) {
				failed = append(failed, fmt.Sprintf("%s: %s is wrong: %+v", all[n].name, what, c.quiet[what]))
			}
		}
		if c.often(high, 50) {
			failed = append(failed, fmt.Sprintf("%s: a cause with high confidence is wrong: %+v", all[n].name,
				c.quiet[high]))
		}
		if len(failed) > before {
			bad = append(bad, &all[n])
		}
	}
	causes := sum.of(cause)
	for _, bar := range []struct {
		what  string
		holds bool
	}{
		{"99 of 100 probes before an incident succeed", sum.quiet[history].wrong*100 <= sum.quiet[history].all()},
		{"labels are right in 99 of 100", sum.quiet[labels].wrong*100 <= sum.quiet[labels].all()},
		{"the party is right or unknown in 99 of 100", sum.quiet[party].wrong*100 <= sum.quiet[party].all()},
		{"the party is right or unknown in 99 of 100 with loss", sum.lossy[party].wrong*100 <= sum.lossy[party].all()},
		{"the party is unknown in at most a tenth", sum.of(party).unknown*10 <= sum.of(party).all()},
		{"high is right in 98 of 100", sum.of(high).wrong*50 <= sum.of(high).all()},
		{"at most 2 causes of 100 are wrong", causes.wrong*50 <= causes.all()},
		{"medium is right in 85 of 100", sum.of(medium).wrong*100 <= 15*sum.of(medium).all()},
	} {
		if !bar.holds {
			failed = append(failed, "does not hold: "+bar.what)
		}
	}
	return failed, sum, bad
}

// judge compares what was said with the truth: the bars, and the table in docs/causes.md. What failed is written last.
func (s *site) judge(t *testing.T, all []incident, results [][]seen) {
	t.Helper()
	failed, sum, bad := failures(all, results)
	failed = append(failed, unanswered(results)...)
	failed = append(failed, compareTable(t, all, results)...)
	for _, i := range bad {
		s.log(t, i)
	}
	for _, what := range []string{history, labels, party, cause, high, medium} {
		t.Logf("%s: without loss %+v, with loss %+v", what, sum.quiet[what], sum.lossy[what])
	}
	t.Logf("no CPU time to spare in %s", s.cpu.share())
	const most = 25
	slices.SortFunc(sum.misses, cmp.Compare[string])
	misses := slices.Compact(sum.misses)
	for _, miss := range misses[:min(most, len(misses))] {
		t.Log(miss)
	}
	if len(misses) > most {
		t.Logf("and %d more", len(misses)-most)
	}
	for _, text := range failed[:min(most, len(failed))] {
		t.Error(text)
	}
}

// unanswered is what to say of an exporter that did not answer more than one in a hundred probes.
func unanswered(results [][]seen) []string {
	var last error
	errs, all := 0, 0
	for n := range results {
		for _, one := range results[n] {
			for _, p := range slices.Concat(one.before, one.probes) {
				all++
				if p.err != nil {
					errs++
					last = p.err
				}
			}
		}
	}
	if errs*100 <= all {
		return nil
	}
	return []string{fmt.Sprintf("the exporter did not answer %d of %d probes: %v", errs, all, last)}
}

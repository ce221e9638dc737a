package incidents

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of real servers in docs/causes.md instead of comparing it")

// tally counts verdicts.
type tally struct{ right, unknown, wrong int }

func (c *tally) all() int { return c.right + c.unknown + c.wrong }

// counts are what the bars are about.
type counts struct {
	labels, parties, causes tally
	sure                    map[string]*tally // by confidence, named causes only
	// what of parties and of causes with high confidence was said while one packet of twenty was lost
	lossyParties, lossyHigh tally
	misses                  []string
}

func among(alternatives, text string) bool {
	return slices.Contains(strings.Split(alternatives, "|"), text)
}

// measured reports whether a probe says something of the target: the exporter says itself where it got no CPU time, and
// then only a failure that is the incident's counts.
func (i *incident) measured(p *said) bool {
	starved := strings.Contains(p.labels, "local.overloaded") || p.cause == "local_starved"
	return !starved && (p.reliable || p.ok || among(i.labels, p.labels))
}

// add judges a verdict on an incident: one of the first failed probe, of the third, and of the last. That the party is
// unknown counts for the last one: before, it may well be.
func (c *counts) add(i *incident, one *seen, at int) {
	p := &one.probes[at]
	miss := func(what string) {
		c.misses = append(c.misses, fmt.Sprintf("%s: %s (%s): %q, %s, party %s, %s", what, i.name, one.kind, p.labels,
			p.cause, p.party, p.confident))
	}
	switch {
	case (p.party == "unknown" || p.party == "") && at < len(one.probes)-1:
	case p.party == "unknown" || p.party == "":
		c.parties.unknown++
	case among(i.party, p.party):
		c.parties.right++
		c.lossyParties.right += one.loss()
	default:
		c.parties.wrong++
		c.lossyParties.wrong += one.loss()
		miss("PARTY")
	}
	switch {
	case p.cause == "unknown" || p.cause == "none":
		c.causes.unknown++
		return
	case among(i.right, p.cause):
		c.causes.right++
		c.sure[p.confident].right++
	default:
		c.causes.wrong++
		c.sure[p.confident].wrong++
		if p.confident == "high" {
			c.lossyHigh.wrong += one.loss()
		}
		miss("CAUSE")
	}
}

// count judges all that was seen of an incident. Labels count where nothing was lost: with lost packets they may be
// those of the loss.
func (c *counts) count(i *incident, all []seen) {
	for n := range all {
		one := &all[n]
		failed := 0
		for at := range one.probes {
			p := &one.probes[at]
			if one.starved || !i.measured(p) {
				continue
			}
			if i.idle > 0 && i.right != "" {
				c.idle(i, one, at)
				continue
			}
			if i.labels == "" {
				c.healthy(i, one, p)
				continue
			}
			if p.ok {
				continue
			}
			failed++
			if !one.noisy {
				if among(i.labels, p.labels) {
					c.labels.right++
				} else {
					c.labels.wrong++
					c.misses = append(c.misses, fmt.Sprintf("LABELS: %s (%s): %q", i.name, one.kind, p.labels))
				}
			}
			if failed == 1 || failed == 3 || at == len(one.probes)-1 {
				c.add(i, one, at)
			}
		}
	}
}

// idle judges a probe of a server whose idle connections end, by the last verdict: fresh connections work, unless
// packets are lost.
func (c *counts) idle(i *incident, one *seen, at int) {
	p := &one.probes[at]
	switch {
	case !p.ok && !one.noisy:
		c.labels.wrong++
		c.misses = append(c.misses, fmt.Sprintf("LABELS: %s (%s): %q", i.name, one.kind, p.labels))
	case p.ok && at == len(one.probes)-1:
		c.add(i, one, at)
	}
}

// loss is 1 for what was seen while packets were lost, else 0.
func (s *seen) loss() int {
	if s.noisy {
		return 1
	}
	return 0
}

// healthy judges a probe of a healthy server. Lost packets may fail a probe, and that is no verdict on the server.
func (c *counts) healthy(i *incident, one *seen, p *said) {
	switch {
	case p.ok && !one.noisy && p.cause == "none", one.noisy && !among("server|proxy|dns", p.party):
		c.causes.right++
		c.parties.right++
		c.lossyParties.right += one.loss()
	default:
		c.causes.wrong++
		c.parties.wrong++
		c.lossyParties.wrong += one.loss()
		c.misses = append(c.misses, fmt.Sprintf("HEALTHY: %s (%s): %q, %s", i.name, one.kind, p.labels, p.cause))
	}
}

// judge compares what was said with the truth: the bars, and the table in docs/causes.md.
func judge(t *testing.T, all []incident, results [][]seen) {
	c := counts{sure: map[string]*tally{"": {}, "low": {}, "medium": {}, "high": {}}}
	for n := range all {
		c.count(&all[n], results[n])
	}
	t.Logf("labels %+v, parties %+v, causes %+v, high %+v, medium %+v", c.labels, c.parties, c.causes, *c.sure["high"],
		*c.sure["medium"])
	slices.SortFunc(c.misses, cmp.Compare[string])
	for _, miss := range slices.Compact(c.misses) {
		t.Log(miss)
	}
	high, medium := c.sure["high"], c.sure["medium"]
	for _, bar := range []struct {
		what  string
		holds bool
	}{
		{"labels are right in all", c.labels.wrong == 0},
		{"the party is right or unknown in all without loss", c.parties.wrong == c.lossyParties.wrong},
		{"the party is right or unknown in 995 of 1,000 with loss",
			c.lossyParties.wrong*200 <= c.lossyParties.all()},
		{"the party is unknown in at most a tenth", c.parties.unknown*10 <= c.parties.all()},
		{"no cause is wrong with high confidence without loss", high.wrong == c.lossyHigh.wrong},
		{"high is right in 98 of 100", high.wrong*50 <= high.all()},
		{"at most 2 causes of 100 are wrong", c.causes.wrong*50 <= c.causes.all()},
		{"medium is right in 85 of 100", medium.wrong*100 <= 15*medium.all()},
	} {
		if !bar.holds {
			t.Errorf("does not hold: %s", bar.what)
		}
	}
	compareTable(t, all, results)
}

// found is the verdict at the end of an incident, of each kind without noise.
func found(i *incident, all []seen) []string { return foundBy(i, all, 1) }

// foundBy are the verdicts that at least so many of its targets have.
func foundBy(i *incident, all []seen, least int) []string {
	var list []string
	times := map[string]int{}
	for n := range all {
		one := &all[n]
		if one.noisy || one.starved || len(one.probes) == 0 {
			continue
		}
		p := one.probes[len(one.probes)-1]
		text := "`" + p.cause + "`"
		if p.party != "" {
			text += ", party " + p.party
		}
		if !i.measured(&p) {
			continue
		}
		if times[text]++; times[text] == least {
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return list
}

// row is an incident's row of the table: the truth, what was found without noise, with the highest confidence, and how
// often it was right.
func row(i *incident, all []seen) string {
	c := counts{sure: map[string]*tally{"": {}, "low": {}, "medium": {}, "high": {}}}
	c.count(i, all)
	sure := []string{}
	for _, name := range []string{"high", "medium"} {
		if n := c.sure[name].all(); n > 0 {
			sure = append(sure, fmt.Sprintf("%s %d", name, n))
		}
	}
	party := strings.ReplaceAll(i.party, "|", " or ")
	if i.right == "" {
		party = "none"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %d of %d |\n", i.name, party,
		strings.Join(found(i, all), "; "), strings.Join(sure, ", "), c.causes.right, c.causes.all())
}

var tableBlock = regexp.MustCompile(`(?s)(<!-- real servers -->\n).*(<!-- end of real servers -->)`)

// compareTable compares party and cause in docs/causes.md with what was found, or writes the table.
func compareTable(t *testing.T, all []incident, results [][]seen) {
	t.Helper()
	const file = "../../docs/causes.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table := "| incident | party | found at the end: cause and party | verdicts with a cause | right |\n" +
		"|---|---|---|---|---|\n"
	for n := range all {
		if results[n] == nil {
			continue
		}
		table += row(&all[n], results[n])
		if *update || all[n].often > 0 { // what may race may end in more ways than one
			continue
		}
		_, written, there := strings.Cut(string(page), "\n| "+all[n].name+" |")
		written, _, _ = strings.Cut(written, "\n")
		for _, verdict := range foundBy(&all[n], results[n], 2) { // one may be a busy machine's
			cause := strings.Trim(strings.SplitN(verdict, ",", 2)[0], "`")
			expected := among(all[n].right+"|none|unknown", cause) // on a busy machine fewer verdicts are sure
			if !there || !expected && !strings.Contains(written, verdict) {
				t.Errorf("docs/causes.md has not %s for %s; run: go test ./test/incidents -update", verdict, all[n].name)
			}
		}
	}
	if *update {
		page = tableBlock.ReplaceAll(page, []byte("${1}"+strings.ReplaceAll(table, "$", "$$")+"${2}"))
		if err := os.WriteFile(file, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

package incidents

import (
	"fmt"
	"slices"
	"strings"
)

// What is counted. High and medium are the causes of that confidence.
const (
	history = "history" // probes before the incident
	labels  = "labels"
	party   = "party"
	cause   = "cause"
	high    = "high"
	medium  = "medium"
)

// tally counts verdicts. Excused are the wrong ones of a machine without CPU time to spare.
type tally struct{ right, unknown, wrong, excused int }

func (c tally) all() int { return c.right + c.unknown + c.wrong }

func (c tally) plus(o tally) tally {
	return tally{c.right + o.right, c.unknown + o.unknown, c.wrong + o.wrong, c.excused + o.excused}
}

// counts are what the bars are about, without lost packets and with them.
type counts struct {
	quiet, lossy map[string]tally
	targets      map[string]int // of the quiet ones, those with something wrong or excused
	misses       []string
}

func newCounts() counts {
	return counts{quiet: map[string]tally{}, lossy: map[string]tally{}, targets: map[string]int{}}
}

// of is the tally of all verdicts, whether packets were lost or not.
func (c *counts) of(what string) tally { return c.quiet[what].plus(c.lossy[what]) }

// add adds the counts of an incident.
func (c *counts) add(o counts) {
	for _, what := range []string{history, labels, party, cause, high, medium} {
		c.quiet[what] = c.quiet[what].plus(o.quiet[what])
		c.lossy[what] = c.lossy[what].plus(o.lossy[what])
	}
	c.misses = append(c.misses, o.misses...)
}

// How a verdict compares with the truth.
type outcome int

const (
	right outcome = iota
	unknown
	wrong
)

func outcomeOf(isRight bool) outcome {
	if isRight {
		return right
	}
	return wrong
}

func among(alternatives, text string) bool {
	return slices.Contains(strings.Split(alternatives, "|"), text)
}

// starvedProbe reports whether a probe's failure may be that of a machine without CPU time: the harness saw it, or the
// exporter says so.
func (p *said) starvedProbe() bool {
	return p.starved || !p.reliable || p.err != nil || strings.Contains(p.labels, "local.overloaded") ||
		p.cause == "local_starved"
}

// excused reports whether a verdict may be that of a machine without CPU time: it comes from all probes so far. Nor does
// one say anything of the incident if the server was not well before.
func (s *seen) excused(at int) bool {
	for n := range s.before {
		if p := &s.before[n]; p.starvedProbe() || !s.noisy && !p.ok {
			return true
		}
	}
	return slices.ContainsFunc(s.probes[:at+1], func(p said) bool { return p.starvedProbe() })
}

// counter counts what one target of an incident says.
type counter struct {
	counts
	i     *incident
	one   *seen
	wrong map[string]bool // what was wrong
}

// note counts a verdict.
func (c *counter) note(what string, p *said, got outcome, excused bool) {
	tallies := c.quiet
	if c.one.noisy {
		tallies = c.lossy
	}
	t := tallies[what]
	switch {
	case got == right:
		t.right++
	case got == unknown && excused && what == party: // it knew too little, for no fault of its own
	case got == unknown:
		t.unknown++
	case excused:
		t.excused++
		c.miss("excused "+what, p)
	default:
		t.wrong++
		c.miss(strings.ToUpper(what), p)
	}
	tallies[what] = t
	if got == wrong && !c.one.noisy {
		c.wrong[what] = true
	}
}

func (c *counter) miss(what string, p *said) {
	c.misses = append(c.misses, fmt.Sprintf("%s: %s (%s): %q, %s, party %s, %s", what, c.i.name, c.one.kind, p.labels,
		p.cause, p.party, p.confident))
}

// countAll judges all that was seen of an incident.
func countAll(i *incident, all []seen) counts {
	sum := newCounts()
	for n := range all {
		c := counter{counts: newCounts(), i: i, one: &all[n], wrong: map[string]bool{}}
		c.count()
		sum.add(c.counts)
		for what := range c.wrong {
			sum.targets[what]++
		}
	}
	return sum
}

// count judges what a target says. Labels count where nothing was lost: with lost packets they may be those of the loss.
func (c *counter) count() {
	i, one := c.i, c.one
	for n := range one.before {
		if p := &one.before[n]; !one.noisy {
			c.note(history, p, outcomeOf(p.ok), p.starvedProbe())
		}
	}
	failed := 0
	for at := range one.probes {
		p := &one.probes[at]
		switch {
		case i.idle > 0 && i.right != "":
			c.idle(at)
		case i.labels == "":
			c.healthy(at)
		case p.ok || p.err != nil:
		default:
			failed++
			if !one.noisy {
				c.note(labels, p, outcomeOf(among(i.labels, p.labels)), p.starvedProbe())
			}
			if failed == 1 || failed == 3 || at == len(one.probes)-1 {
				c.verdict(at)
			}
		}
	}
}

// verdict judges a verdict on an incident: one of the first failed probe, of the third, and of the last. That the party
// is unknown counts for the last one: before, it may well be.
func (c *counter) verdict(at int) {
	p, excused := &c.one.probes[at], c.one.excused(at)
	switch {
	case p.cause == "local_starved": // the exporter says itself that it knows nothing of the target
		return
	case p.party != "unknown" && p.party != "":
		c.note(party, p, outcomeOf(among(c.i.party, p.party)), excused)
	case at == len(c.one.probes)-1:
		c.note(party, p, unknown, excused)
	}
	if p.cause == "unknown" || p.cause == "none" {
		c.note(cause, p, unknown, excused)
		return
	}
	got := outcomeOf(among(c.i.right, p.cause))
	c.note(cause, p, got, excused)
	if p.confident == high || p.confident == medium {
		c.note(p.confident, p, got, excused)
	}
}

// idle judges a probe of a server whose idle connections end, by the last verdict: fresh connections work, unless
// packets are lost.
func (c *counter) idle(at int) {
	p := &c.one.probes[at]
	switch {
	case !p.ok && !c.one.noisy:
		c.note(labels, p, wrong, p.starvedProbe())
	case p.ok && at == len(c.one.probes)-1:
		c.verdict(at)
	}
}

// healthy judges a probe of a healthy server. Lost packets may fail a probe, and that is no verdict on the server.
func (c *counter) healthy(at int) {
	p, excused := &c.one.probes[at], c.one.excused(at)
	got := outcomeOf(p.ok && p.cause == "none")
	if c.one.noisy {
		got = outcomeOf(!among("server|proxy|dns", p.party))
	}
	c.note(cause, p, got, excused)
	c.note(party, p, got, excused)
}

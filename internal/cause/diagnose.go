package cause

import (
	"slices"
	"time"
)

// The engine: from the facts and the table to a verdict.

// Judge is the differential diagnosis; ok is false where nothing is to be explained.
func Judge(e *Evidence) (v Verdict, ok bool) {
	s, k := factsOf(e)
	if k == nil {
		return Verdict{}, false
	}
	return conclude(table, s, k)
}

type facts = []fact

// candidate is a cause with the surest of its rows.
type candidate struct {
	row  *row
	sure Confidence
}

// conclude ranks the candidates, and names the first if it is shown.
func conclude(rows []row, s *scene, k *known) (Verdict, bool) {
	found, out := candidates(rows, k)
	v := Verdict{Cause: Unknown, Confidence: Low, RuledOut: out, Intercepted: s.interception()}
	if k.has(fails) {
		v.Evidence = append(v.Evidence, k[fails])
		v.cite(k, facts{ledElsewhere})
		if since := s.history(); since != "" {
			v.Evidence = append(v.Evidence, since)
		}
	}
	if len(found) > 0 && found[0].sure != Low {
		best := found[0]
		v.Cause, v.Confidence, v.Party = best.row.cause, best.sure, best.row.whose(k)
		v.cite(k, best.row.requires)
		v.cite(k, best.row.supports)
		if best.row.bySender {
			v.cite(k, facts{endsOnItsSide, endsUnseen})
		}
	} else {
		if k.has(idleEnded) && !k.has(appEnds) {
			return Verdict{}, false // one connection that ended while idle is no failure
		}
		v.Party = partyOf(k)
		v.cite(k, unexplained)
	}
	if v.Confidence != High {
		for _, c := range found {
			if c.row.cause != v.Cause && !slices.Contains(v.Open, c.row.cause) {
				v.Open = append(v.Open, c.row.cause)
			}
		}
	}
	v.Next = v.advise(k)
	return v, true
}

// whose is the row's party.
func (r *row) whose(k *known) Party {
	switch {
	case r.party != "":
		return r.party
	case r.bySender && k.has(endsOnItsSide):
		return Server
	case r.bySender && k.has(endsUnseen):
		return UnknownParty
	}
	return r.cause.Info().Party
}

// candidates are the causes that the facts allow, the surest first, and those that they exclude.
func candidates(rows []row, k *known) (found []candidate, out []RuledOut) {
	for i := range rows {
		r := &rows[i]
		if !k.all(r.requires) {
			continue
		}
		if n := slices.IndexFunc(r.excludes, k.has); n >= 0 {
			out = append(out, RuledOut{r.cause, k[r.excludes[n]]})
			continue
		}
		raised := 0
		for _, f := range r.supports {
			if k.has(f) {
				raised++
			}
		}
		found = append(found, candidate{r, r.sure.raised(raised)})
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if d := b.sure.level() - a.sure.level(); d != 0 {
			return d
		}
		return order[a.row.cause] - order[b.row.cause]
	})
	seen := map[Cause]bool{}
	out = slices.DeleteFunc(out, func(r RuledOut) bool {
		shown := slices.ContainsFunc(found, func(c candidate) bool { return c.row.cause == r.Cause })
		again := seen[r.Cause]
		seen[r.Cause] = true
		return shown || again
	})
	return found, out
}

// order is the causes' order in the list.
var order = func() map[Cause]int {
	m := make(map[Cause]int, len(Causes))
	for i, row := range Causes {
		m[row.Cause] = i
	}
	return m
}()

// unexplained are facts that are worth showing where no cause is.
var unexplained = []fact{timesTwice, timesSome, endsOnItsSide, endsNearer, endsUnseen, icmpRoute, certAsked,
	wireUntaken, wireHole, wireTaken, idleForgotten, idleUnseen, appEnds, appLost, appPath, nameNotHere,
	closedPortAnswers, traceEndsBefore, saidStreamOnly, kernelUnsent, kernelTracker, kernelQueue, kernelFilter,
	kernelDamaged}

// cite adds facts to the evidence, each sentence once; the failure's own words are there already.
func (v *Verdict) cite(k *known, list []fact) {
	for _, f := range list {
		if k.has(f) && !slices.Contains(v.Evidence, k[f]) {
			v.Evidence = append(v.Evidence, k[f])
		}
	}
}

// partyOf is the party, where no cause is shown.
func partyOf(k *known) Party {
	for i := range parties {
		if k.all(parties[i].requires) {
			return parties[i].party
		}
	}
	return UnknownParty
}

// advise says what to do: about a cause that is shown, or to show one.
func (v *Verdict) advise(k *known) []string {
	if v.Cause != Unknown {
		return []string{v.Cause.Info().Advice}
	}
	var says []string
	for i := range next {
		n := &next[i]
		if k.all(n.requires) && !slices.ContainsFunc(n.lacks, k.has) {
			says = append(says, n.says)
		}
	}
	return says
}

// history is the sentence on since when it fails.
func (s *scene) history() string {
	since := s.Recent[s.at-max(0, s.run-1)].At
	for i := s.at; i >= 0; i-- {
		if o := &s.Recent[i]; o.Failure == nil && !o.At.IsZero() && i < s.at {
			return "failing since " + clock(since) + "; the last success was at " + clock(o.At)
		}
	}
	if s.run >= len(s.Recent) && len(s.Recent) > 1 {
		return "no remembered probe succeeded"
	}
	return ""
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

package schedule

import (
	"testing"
	"time"
)

// Who is given which probe: each row is a probe in flight, or an outcome, and a claim.
func TestJoin(t *testing.T) {
	const s, ms = time.Minute, time.Second // longer than any machine is late
	now := time.Now()
	claim := func(after, allowed time.Duration) Claim {
		return Claim{Now: now.Add(after), Until: now.Add(after + allowed), Allowed: allowed, Slack: 10 * ms,
			Recent: time.Hour}
	}
	ended := func(allowed time.Duration, audience Audience) []Recent[int] {
		return []Recent[int]{{outcome(1), now, allowed, audience}}
	}
	for _, row := range []struct {
		name    string
		first   Claim // of the probe in flight; zero for none
		recent  []Recent[int]
		claim   Claim
		fresh   bool
		outcome int
	}{
		{"nothing", Claim{}, nil, claim(0, s), true, 0},
		{"the same", claim(0, s), nil, claim(0, s), false, 0},
		{"less time than in flight", claim(0, 2*s), nil, claim(0, s), true, 0},
		{"more time than in flight", claim(0, s), nil, claim(0, 2*s), true, 0},
		{"within the slack", claim(0, s), nil, claim(0, s+5*ms), false, 0},
		{"a success", Claim{}, ended(s, Anyone), claim(10*s, 5*s), false, 1},
		{"a success, just recent", Claim{}, ended(s, Anyone), claim(time.Hour-1, 5*s), false, 1},
		{"a success, just too old", Claim{}, ended(s, Anyone), claim(time.Hour, 5*s), true, 0},
		{"a failure with less time", Claim{}, ended(s, WithSameTime), claim(10*s, 5*s), true, 0},
		{"a failure with as much time", Claim{}, ended(5*s, WithSameTime), claim(10*s, 5*s), false, 1},
		{"the exporter's own failure", Claim{}, ended(5*s, NoOne), claim(10*s, 5*s), true, 0},
		{"in flight comes first", claim(0, s), ended(s, Anyone), claim(0, s), false, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := Group[int]{recent: row.recent}
			var started *InFlight[int]
			if row.first.Allowed > 0 {
				started = &InFlight[int]{Until: row.first.Until, ends: row.first.Until, Allowed: row.first.Allowed,
					Ended: make(chan struct{})}
				g.inFlight = append(g.inFlight, started)
			}
			f, fresh := g.Join(row.claim)
			if fresh != row.fresh || f.Outcome() != row.outcome ||
				(f == started) != (started != nil && !row.fresh) {
				t.Errorf("Join() = %+v, %t, want fresh %t and outcome %d", f, fresh, row.fresh, row.outcome)
			}
		})
	}
}

// A probe ends once: with its outcome, which later callers get too, or without. One that nobody waits for is abandoned.
func TestEnd(t *testing.T) {
	now := time.Now()
	claim := Claim{Now: now, Until: now.Add(time.Hour), Allowed: time.Hour, Recent: time.Minute}
	for _, row := range []struct {
		name    string
		end     func(g *Group[int], f *InFlight[int])
		outcome int // of the probe
		later   int // of a later caller's; 0 for a fresh one
	}{
		{"with an outcome", func(g *Group[int], f *InFlight[int]) {
			g.EndWith(f, 1, []Recent[int]{{outcome(2), now, time.Hour, Anyone}})
		}, 1, 2},
		{"without", func(g *Group[int], f *InFlight[int]) { g.End(f) }, 0, 0},
		{"with an outcome, then without", func(g *Group[int], f *InFlight[int]) {
			g.EndWith(f, 1, []Recent[int]{{outcome(2), now, time.Hour, Anyone}})
			g.End(f)
		}, 1, 2},
		{"without, then with an outcome", func(g *Group[int], f *InFlight[int]) {
			g.End(f)
			g.EndWith(f, 1, []Recent[int]{{outcome(2), now, time.Hour, Anyone}})
		}, 0, 0},
		{"abandoned", func(g *Group[int], f *InFlight[int]) {
			if g.Abandon(f) {
				t.Error("a probe is abandoned while a caller waits")
			}
			g.Leave(f)
			if !g.Abandon(f) {
				t.Error("a probe that nobody waits for is not abandoned")
			}
		}, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var g Group[int]
			f, _ := g.Join(claim)
			row.end(&g, f)
			<-f.Ended
			if left := len(g.InFlight()); f.Outcome() != row.outcome || left != 0 {
				t.Errorf("outcome %d, %d in flight, want %d and none", f.Outcome(), left, row.outcome)
			}
			again, fresh := g.Join(claim)
			if again.Outcome() != row.later || fresh != (row.later == 0) {
				t.Errorf("later: outcome %d, fresh %t, want %d", again.Outcome(), fresh, row.later)
			}
		})
	}
}

// A probe that has started ends by its module's timeout, so that a caller whose deadline is later joins it.
func TestStarted(t *testing.T) {
	var g Group[int]
	now := time.Now()
	f, _ := g.Join(Claim{Now: now, Until: now.Add(time.Hour), Allowed: time.Second})
	second := Claim{Now: now, Until: now.Add(time.Minute), Allowed: time.Second}
	if _, fresh := g.Join(second); !fresh {
		t.Error("a caller joins a probe that may end after its deadline")
	}
	g.Started(f, time.Second)
	if got, fresh := g.Join(second); fresh || got != f {
		t.Errorf("the caller joins %p, fresh %t, want %p, which ends in time", got, fresh, f)
	}
}

// outcome is what is passed on of an outcome.
func outcome(n int) func() int { return func() int { return n } }

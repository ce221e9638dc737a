package incident

import (
	"fmt"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// observed is what was seen of the application's connections since a minute: "R" a reset after a minute's idling, "P"
// one that a capture saw the peer send, "F" a FIN of the peer after a second that left a request unanswered, "U" a
// connection with a request unacknowledged, "w" ten more seconds in CLOSE_WAIT; "-" says that nothing was observed.
func observed(since int, what string) *Application {
	if what == "-" {
		return nil
	}
	a := &Application{Since: at(since)}
	for _, c := range what {
		switch c {
		case 'R':
			a.Note(&observe.End{How: observe.ResetReceived, Idle: time.Minute})
		case 'P':
			a.Note(&observe.End{How: observe.ResetReceived, Origin: result.Peer, Idle: 30 * time.Second})
		case 'F':
			a.Note(&observe.End{How: observe.FINReceived, Idle: time.Second, Lost: observe.Unanswered})
		case 'U':
			a.Note(&observe.End{How: observe.ResetReceived, Idle: 2 * time.Minute, Lost: observe.Unacknowledged})
		case 'w':
			a.OldestCloseWait += 10
		}
	}
	return a
}

// applied is an observation in a line.
func applied(a *Application) string {
	if a == nil {
		return "not observed"
	}
	text := fmt.Sprintf("since %s: %d ended, %d lost, %g s in CLOSE_WAIT", a.Since.UTC().Format("15:04"), a.Ended,
		a.Lost(), a.OldestCloseWait)
	for _, e := range a.Ends {
		text += fmt.Sprintf("; %s %s ×%d idle %g %v, %d and %d lost", e.How, e.Origin, e.Count, e.Idle, e.IdleFor,
			e.Unacknowledged, e.Unanswered)
	}
	return text
}

// Each probe is a failure ("R") or a success (".") with what was observed since the one before it. Two successes end an
// incident, which has what was seen from before its first failure until the success after its last.
func TestApplicationOfAnIncident(t *testing.T) {
	for _, row := range []struct {
		name   string
		probes []string
		want   string
	}{
		{"not observed", []string{"R-", "R-"}, "not observed"},
		{"nothing ended", []string{"R", "R"}, "since 02:59: 0 ended, 0 lost, 0 s in CLOSE_WAIT"},
		{"before its first failure and between two", []string{"RRR", "RRFU"}, "since 02:59: 5 ended, 2 lost, 0 s in " +
			"CLOSE_WAIT; reset_received  ×4 idle 300 [{75 3} {180 1}], 1 and 0 lost; fin_received  ×1 idle 1 [{5 1}], 0 and 1 lost"},
		{"who sent a reset", []string{"RP", "RRPP"}, "since 02:59: 4 ended, 0 lost, 0 s in CLOSE_WAIT; reset_received  ×1 " +
			"idle 60 [{75 1}], 0 and 0 lost; reset_received peer ×3 idle 90 [{45 3}], 0 and 0 lost"},
		{"the longest in CLOSE_WAIT", []string{"Rww", "Rwww", "Rw"}, "since 02:59: 0 ended, 0 lost, 30 s in CLOSE_WAIT"},
		{"before it, too", []string{".RRRR", "RF"}, "since 03:00: 1 ended, 1 lost, 0 s in CLOSE_WAIT; fin_received  ×1 " +
			"idle 1 [{5 1}], 0 and 1 lost"},
		{"until the success after it", []string{"RR", ".R", ".FFF"}, "since 02:59: 2 ended, 0 lost, 0 s in CLOSE_WAIT; " +
			"reset_received  ×2 idle 120 [{75 2}], 0 and 0 lost"},
		{"between failures a success does not count twice", []string{"RR", ".R", "RF"}, "since 02:59: 3 ended, 1 lost, 0 s " +
			"in CLOSE_WAIT; reset_received  ×2 idle 120 [{75 2}], 0 and 0 lost; fin_received  ×1 idle 1 [{5 1}], 0 and 1 lost"},
		{"observed from its middle on", []string{"R-", "RR"}, "since 03:00: 1 ended, 0 lost, 0 s in CLOSE_WAIT; " +
			"reset_received  ×1 idle 60 [{75 1}], 0 and 0 lost"},
		{"until its middle", []string{"RR", "R-"}, "since 02:59: 1 ended, 0 lost, 0 s in CLOSE_WAIT; reset_received  ×1 " +
			"idle 60 [{75 1}], 0 and 0 lost"},
	} {
		for _, restarts := range []bool{false, true} {
			var open, over *Incident
			for n, probe := range row.probes {
				s := seen(n+1, n, probe[0])
				s.Application = observed(n-1, probe[1:])
				before := applied(s.Application)
				if over, open = (Rule{2}).Next(open, s); applied(s.Application) != before {
					t.Errorf("%s: Next changed the observation from %s to %s", row.name, before, applied(s.Application))
				}
				if restarts && open != nil {
					var err error
					if open, err = Decode(open.Encode()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if over != nil {
				open = over
			}
			if got := applied(open.Application); got != row.want {
				t.Errorf("%s, with restarts %t:\n%s, want\n%s", row.name, restarts, got, row.want)
			}
		}
	}
}

// What was seen in the three hours before a failure may have been before the target failed.
func TestApplicationAfterALongTime(t *testing.T) {
	s := seen(1, 180, 'R')
	s.Application = observed(0, "RRR")
	_, i := Rule{2}.Next(nil, s)
	if got, want := applied(i.Application), "since 06:00: 0 ended, 0 lost, 0 s in CLOSE_WAIT"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Ways and origins of another version are unknown, and counted once; there are at most as many of them as both lists
// have together.
func TestEndsOfAnIncidentAreBounded(t *testing.T) {
	_, i := Rule{2}.Next(nil, seen(1, 0, 'R'))
	i.Application = observed(0, "RF")
	for n := range 300 {
		i.Application.Ends = append(i.Application.Ends, Ends{How: observe.How(fmt.Sprint("melted", n)),
			Origin: result.Origin(fmt.Sprint("moon", n)), Count: 1, Idle: 1, IdleFor: []IdleFor{{float64(n * 20), 1}}})
	}
	decoded, err := Decode(i.Encode())
	if err != nil {
		t.Fatal(err)
	}
	const want = "since 03:00: 302 ended, 1 lost, 0 s in CLOSE_WAIT; reset_received  ×1 idle 60 [{75 1}], 0 and 0 lost; " +
		"fin_received  ×1 idle 1 [{5 1}], 0 and 1 lost; unknown  ×300 idle 300 [{30 1} {45 1} {60 1} {90 1} " +
		"{120 2} {180 3} {300 6} {350 2} {600 13} {900 15} {1800 45} {3600 90} {0 120}], 0 and 0 lost"
	if got := applied(decoded.Application); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	claims.Prove(t, "ways in which the application's connections ended")
}

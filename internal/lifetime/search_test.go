package lifetime

import (
	"testing"
	"time"
)

const (
	s    = time.Second
	most = 15 * time.Minute
)

func lives(age time.Duration) Trial { return Trial{Age: age, Idle: age} }

func dies(age, idle time.Duration, end End) Trial { return Trial{Age: age, Idle: idle, End: end} }

// The next age follows from the trials so far.
func TestNext(t *testing.T) {
	for _, row := range []struct {
		name           string
		trials         []Trial
		survived, died time.Duration
		end, clock     End
		next           time.Duration
		done           bool
	}{
		{"nothing was tried", nil, 0, 0, "", "", s, false},
		{"ages grow", []Trial{lives(s), lives(2 * s)}, 2 * s, 0, "", "", 4 * s, false},
		{"up to the most", []Trial{lives(512 * s)}, 512 * s, 0, "", "", most, false},
		{"and no further", []Trial{lives(most)}, most, 0, "", "", most, true},
		{"one death proves nothing", []Trial{lives(64 * s), dies(128*s, 75*s, FIN)}, 64 * s, 0, "", "", 128 * s, false},
		{"a death on use is repeated at its age", []Trial{lives(s), dies(2*s, 2*s+100*time.Millisecond, RST)}, s, 0, "",
			"", 2*s + 100*time.Millisecond, false},
		{"two deaths are a bracket", []Trial{lives(64 * s), dies(128*s, 75*s, FIN), dies(128*s, 76*s, FIN)}, 64 * s,
			75 * s, FIN, "", 69*s + 500*time.Millisecond, false},
		{"all connections end at once, and not again", []Trial{lives(64 * s), dies(128*s, 75*s, FIN), lives(128 * s)},
			128 * s, 0, "", FIN, 256 * s, false},
		{"two deaths at different ages", []Trial{lives(64 * s), dies(128*s, 75*s, FIN), dies(128*s, 120*s, RST)}, 64 * s,
			0, "", FIN, 128 * s, false},
		{"and the second one again", []Trial{lives(64 * s), dies(128*s, 75*s, FIN), dies(128*s, 120*s, RST),
			dies(128*s, 118*s, RST)}, 64 * s, 118 * s, RST, FIN, 91 * s, false},
		{"the bracket is bisected", []Trial{lives(256 * s), dies(512*s, 512*s, RST), dies(512*s, 512*s, RST)}, 256 * s,
			512 * s, RST, "", 384 * s, false},
		{"from above, each death twice", []Trial{lives(256 * s), dies(512*s, 512*s, RST), dies(512*s, 512*s, RST),
			dies(384*s, 384*s, RST)}, 256 * s, 512 * s, RST, "", 384 * s, false},
		{"twice", []Trial{lives(256 * s), dies(512*s, 512*s, RST), dies(512*s, 512*s, RST),
			dies(384*s, 384*s, RST), dies(384*s, 384*s, RST)}, 256 * s, 384 * s, RST, "", 320 * s, false},
		{"nothing survives", []Trial{dies(s, 500*time.Millisecond, RST), dies(s, 500*time.Millisecond, RST)}, 0,
			500 * time.Millisecond, RST, "", 250 * time.Millisecond, false},
		{"a narrow bracket is checked below", narrow(), 340 * s, 360 * s, RST, "", 340 * s, true},
		{"and above", narrow(lives(340 * s)), 340 * s, 360 * s, RST, "", 382*s + 500*time.Millisecond, true},
		{"they live longer now", narrow(lives(340*s), lives(382*s)), 382 * s, 0, "", "", 764 * s, false},
		{"they die sooner, once", narrow(dies(340*s, 60*s, FIN)), 340 * s, 360 * s, RST, "", 340 * s, false},
		{"once only", narrow(dies(340*s, 60*s, FIN), lives(340*s)), 340 * s, 360 * s, RST, FIN,
			382*s + 500*time.Millisecond, true},
		{"they die sooner now", narrow(dies(340*s, 60*s, FIN), dies(340*s, 60*s, FIN)), 0, 60 * s, FIN, "", 30 * s, false},
		{"they end at once", []Trial{dies(s, 0, FIN), dies(s, 0, FIN)}, 0, time.Millisecond, FIN, "",
			251 * time.Millisecond, true},
	} {
		var got Search
		for _, trial := range row.trials {
			got = got.Note(trial)
		}
		if got.Survived != row.survived || got.Died != row.died || got.End != row.end || got.Clock != row.clock {
			t.Errorf("%s: %+v, want between %s and %s, %q, clock %q", row.name, got, row.survived, row.died, row.end,
				row.clock)
		}
		if next, done := got.Next(most), got.Done(most); next != row.next || done != row.done {
			t.Errorf("%s: the next age is %s, done %t, want %s, %t", row.name, next, done, row.next, row.done)
		}
	}
}

// narrow is a search with a narrow bracket, and some trials more.
func narrow(more ...Trial) []Trial {
	return append([]Trial{lives(340 * s), dies(680*s, 680*s, RST), dies(680*s, 680*s, RST),
		dies(360*s, 360*s, RST), dies(360*s, 360*s, RST)}, more...)
}

// Whatever the lifetime is, the search finds it, and in few trials: those that die show when, unless they have to be
// used for it.
func TestSearchesEnd(t *testing.T) {
	for _, lifetime := range []time.Duration{10 * time.Millisecond, 700 * time.Millisecond, 2 * s, 5 * s, 60 * s, 75 * s,
		240 * s, 350 * s, 600 * s, 899 * s} {
		for _, end := range []End{FIN, Silence} {
			var got Search
			trials := 0
			for ; !got.Done(most) && trials < 40; trials++ {
				got = got.Note(server(lifetime, end, got.Next(most)))
			}
			if !got.Narrow() || got.Survived > lifetime || got.Died < lifetime || got.End != end || trials > 30 {
				t.Errorf("%s, %s: %+v after %d trials", lifetime, end, got, trials)
			}
		}
	}
}

// server is a trial with a server that ends idle connections after a time.
func server(lifetime time.Duration, end End, age time.Duration) Trial {
	switch {
	case age < lifetime:
		return lives(age)
	case end == Silence:
		return dies(age, age, end)
	}
	return dies(age, lifetime, end)
}

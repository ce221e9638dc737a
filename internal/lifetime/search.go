// Package lifetime finds how long a connection may be idle before somebody ends it: a pure function from the trials so
// far to the next age to try. Nothing in it waits or connects.
//
//   - The ages grow by doubling until a connection dies, then the search bisects between the longest age that survived
//     and the shortest that died.
//   - One death proves nothing: a reload of the server ends all idle connections at once, whatever their age. So each
//     death is tried again at the same age. If that connection dies at a similar age, the age is the reason; if it
//     survives, the clock was, and the search goes on as before.
//   - When the bracket is narrow it is checked now and then, at both of its ends. A trial that contradicts it breaks
//     it, and the search goes on from what still holds.
package lifetime

import (
	"time"
)

// First is the shortest age that is tried.
const First = time.Second

// Trial is what became of one idle connection.
type Trial struct {
	Age  time.Duration // as planned
	Idle time.Duration // when it was used again, or when it ended
	End  End           // empty if it served a request
}

// Search is a search as far as it has come. It is a value: Note returns the next one. The zero value begins.
type Search struct {
	Survived time.Duration // the longest age at which a connection served a request; 0 for none
	Died     time.Duration // the shortest age at which connections died, twice; 0 for none
	End      End           // how they ended
	Clock    End           // how the newest connection ended whose age was not the reason; empty for none

	suspect Trial // a death that has not been repeated; no End for none
	checks  int   // trials since the bracket was narrow
}

// Note is the search after one more trial.
func (s Search) Note(t Trial) Search {
	if s.Narrow() {
		s.checks++
	}
	t.Idle = max(t.Idle, time.Millisecond) // 0 stands for none
	if t.End == "" {
		return s.survived(t)
	}
	return s.died(t)
}

func (s Search) survived(t Trial) Search {
	if s.suspect.End != "" {
		s.Clock, s.suspect = s.suspect.End, Trial{}
	}
	s.Survived = max(s.Survived, t.Idle)
	if s.Died != 0 && s.Survived >= s.Died {
		s.Died, s.End, s.checks = 0, "", 0 // they live longer than they did
	}
	return s
}

func (s Search) died(t Trial) Search {
	switch {
	case s.Died != 0 && t.Idle >= s.Died-similarity(s.Died) && t.Idle > s.Survived:
		s.suspect = Trial{}
		s.Died, s.End = min(s.Died, t.Idle), t.End // as known
	case s.suspect.End != "" && (s.suspect.Idle-t.Idle).Abs() <= similarity(t.Idle):
		s.Died, s.End = min(s.suspect.Idle, t.Idle), t.End
		if s.Survived >= s.Died {
			s.Survived = 0 // they live shorter than they did
		}
		s.suspect, s.checks = Trial{}, 0
	default:
		if s.suspect.End != "" {
			s.Clock = s.suspect.End // this one lived differently long
		}
		s.suspect = t
	}
	return s
}

// similarity is by how much the ages of two deaths may differ that have the same reason.
func similarity(age time.Duration) time.Duration { return max(resolution(age), age/8) }

// resolution is how narrow a bracket is to become. The floor is what busy machines and timers leave uncertain.
func resolution(age time.Duration) time.Duration { return max(250*time.Millisecond, age/16) }

// Narrow reports whether the bracket is as narrow as it is to become.
func (s Search) Narrow() bool {
	return s.suspect.End == "" && s.Died != 0 && s.Died-s.Survived <= resolution(s.Died)
}

// Done reports whether nothing is to be learned any more of ages up to a maximum, unless something changes.
func (s Search) Done(most time.Duration) bool {
	return s.Narrow() || s.suspect.End == "" && s.Died == 0 && s.Survived >= most
}

// Next is the next age to try, of at most so much.
func (s Search) Next(most time.Duration) time.Duration {
	switch {
	case s.suspect.End != "":
		return min(max(s.suspect.Age, s.suspect.Idle), most)
	case s.Narrow() && s.Survived > 0 && s.checks%2 == 0:
		return min(s.Survived, most)
	case s.Narrow():
		return min(s.Died+resolution(s.Died), most)
	case s.Died != 0:
		return min((s.Survived+s.Died)/2, most)
	}
	return min(max(First, 2*s.Survived), most)
}

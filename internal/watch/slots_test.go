package watch

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// acquired is one that asked for a slot: whether it has one, and after how long.
type acquired struct {
	Who   string
	Has   bool
	After time.Duration
}

// Every row is a script on slots with a limit of 1, which the first asker takes at once.
func TestSlots(t *testing.T) {
	const never = time.Hour
	for _, test := range []struct {
		name string
		act  func(s *slots, ask func(who string, patience, cancelled time.Duration))
		want []acquired
		used int
	}{
		{"those who wait are served in their order", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, never)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.release()
			time.Sleep(time.Second)
			s.release()
		}, []acquired{{"b", true, time.Second}, {"c", true, 2 * time.Second}}, 1},
		{"patience ends, and the slot goes to the next", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", time.Second, never)
			ask("c", never, never)
			time.Sleep(3 * time.Second)
			s.release()
		}, []acquired{{"b", false, time.Second}, {"c", true, 3 * time.Second}}, 1},
		{"the context is cancelled", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, time.Second)
			time.Sleep(2 * time.Second)
			s.release()
		}, []acquired{{"b", false, time.Second}}, 0},
		{"the context has been cancelled, though a slot is free", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			s.release()
			ask("b", never, 0)
		}, []acquired{{"b", false, 0}}, 0},
		{"the limit is raised", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, never)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.resize(3)
		}, []acquired{{"b", true, time.Second}, {"c", true, time.Second}}, 3},
		{"the limit is lowered: nobody is thrown out, and nobody comes in", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			s.resize(2)
			ask("b", never, never)
			s.resize(1)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.release()
			time.Sleep(time.Second)
			s.release()
		}, []acquired{{"b", true, 0}, {"c", true, 2 * time.Second}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSlots(1)
				s.acquire(t.Context(), time.Now())
				var got []acquired
				done := make(chan acquired, 10)
				test.act(s, func(who string, patience, cancelled time.Duration) {
					ctx, cancel := context.WithCancel(t.Context())
					if cancelled == 0 {
						cancel()
					} else {
						time.AfterFunc(cancelled, cancel)
					}
					asked := time.Now()
					go func() {
						has := s.acquire(ctx, asked.Add(patience))
						done <- acquired{who, has, time.Since(asked)}
					}()
					synctest.Wait()
				})
				for range test.want {
					got = append(got, <-done)
				}
				slices.SortFunc(got, func(a, b acquired) int { return strings.Compare(a.Who, b.Who) })
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if s.taken() != test.used {
					t.Errorf("taken() = %d, want %d", s.taken(), test.used)
				}
				time.Sleep(2 * never) // the timers of the contexts
			})
		})
	}
}

// A slot that comes at the moment at which patience ends is not lost.
func TestSlotComesTooLate(t *testing.T) {
	s := newSlots(1)
	s.acquire(t.Context(), time.Now())
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.release() // closes turn: the slot is taken
	s.leave(turn)
	if s.taken() != 0 {
		t.Errorf("taken() = %d after the slot was given back, want 0", s.taken())
	}
}

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
			s.release(1)
			time.Sleep(time.Second)
			s.release(1)
		}, []acquired{{"b", true, time.Second}, {"c", true, 2 * time.Second}}, 1},
		{"patience ends, and the slot goes to the next", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", time.Second, never)
			ask("c", never, never)
			time.Sleep(3 * time.Second)
			s.release(1)
		}, []acquired{{"b", false, time.Second}, {"c", true, 3 * time.Second}}, 1},
		{"the context is cancelled", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, time.Second)
			time.Sleep(2 * time.Second)
			s.release(1)
		}, []acquired{{"b", false, time.Second}}, 0},
		{"the context has been cancelled, though a slot is free", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			s.release(1)
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
			s.release(1)
			time.Sleep(time.Second)
			s.release(1)
		}, []acquired{{"b", true, 0}, {"c", true, 2 * time.Second}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSlots(1)
				s.acquire(t.Context(), time.Now(), 1)
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
						has := s.acquire(ctx, asked.Add(patience), 1)
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
	s.acquire(t.Context(), time.Now(), 1)
	late := &turn{1, make(chan struct{})}
	s.waiting = append(s.waiting, late)
	s.release(1) // serves it: the slot is taken
	s.leave(late)
	if s.taken() != 0 {
		t.Errorf("taken() = %d after the slot was given back, want 0", s.taken())
	}
}

// Who wants several slots waits until all of them are free, nobody passes, and who wants more than there are takes them all.
func TestSlotsOfDifferentSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		began := time.Now()
		got := make(chan acquired, 3)
		s.acquire(t.Context(), began, 3)
		for _, asker := range []struct {
			who string
			n   int
		}{{"two", 2}, {"one", 1}, {"nine", 9}} {
			go func() {
				has := s.acquire(t.Context(), began.Add(time.Hour), asker.n)
				got <- acquired{asker.who, has, time.Since(began)}
				time.Sleep(time.Minute)
				s.release(asker.n)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		s.release(3)
		synctest.Wait()
		var order []acquired
		time.Sleep(3 * time.Minute)
		for range 3 {
			order = append(order, <-got)
		}
		slices.SortFunc(order, func(a, b acquired) int { return strings.Compare(a.Who, b.Who) })
		want := []acquired{{"nine", true, time.Minute + time.Second}, {"one", true, time.Second}, {"two", true, time.Second}}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if s.taken() != 0 {
			t.Errorf("taken() = %d at the end, want 0", s.taken())
		}
	})
}

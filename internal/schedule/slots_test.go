package schedule

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

// Every row is a script on slots with a limit of 1, which the first caller takes at once.
func TestSlots(t *testing.T) {
	const never = time.Hour
	for _, test := range []struct {
		name string
		act  func(s *Slots, ask func(who string, patience, cancelled time.Duration))
		want []acquired
		used int
	}{
		{"those who wait are served in their order", func(s *Slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, never)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.Release(Need{1, Configured})
			time.Sleep(time.Second)
			s.Release(Need{1, Configured})
		}, []acquired{{"b", true, time.Second}, {"c", true, 2 * time.Second}}, 1},
		{"patience ends, and the slot goes to the next",
			func(s *Slots, ask func(string, time.Duration, time.Duration)) {
				ask("b", time.Second, never)
				ask("c", never, never)
				time.Sleep(3 * time.Second)
				s.Release(Need{1, Configured})
			}, []acquired{{"b", false, time.Second}, {"c", true, 3 * time.Second}}, 1},
		{"the context is cancelled", func(s *Slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, time.Second)
			time.Sleep(2 * time.Second)
			s.Release(Need{1, Configured})
		}, []acquired{{"b", false, time.Second}}, 0},
		{"the context has been cancelled, though a slot is free",
			func(s *Slots, ask func(string, time.Duration, time.Duration)) {
				s.Release(Need{1, Configured})
				ask("b", never, 0)
			}, []acquired{{"b", false, 0}}, 0},
		{"the limit is raised", func(s *Slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, never)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.Resize(3, 0)
		}, []acquired{{"b", true, time.Second}, {"c", true, time.Second}}, 3},
		{"the limit is lowered: nobody is thrown out, and nobody comes in",
			func(s *Slots, ask func(string, time.Duration, time.Duration)) {
				s.Resize(2, 0)
				ask("b", never, never)
				s.Resize(1, 0)
				ask("c", never, never)
				time.Sleep(time.Second)
				s.Release(Need{1, Configured})
				time.Sleep(time.Second)
				s.Release(Need{1, Configured})
			}, []acquired{{"b", true, 0}, {"c", true, 2 * time.Second}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1)
				s.Acquire(t.Context(), time.Now(), Need{1, Configured})
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
						has := s.Acquire(ctx, asked.Add(patience), Need{1, Configured})
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
				if s.Taken() != test.used {
					t.Errorf("taken() = %d, want %d", s.Taken(), test.used)
				}
				time.Sleep(2 * never) // the timers of the contexts
			})
		})
	}
}

// A slot that comes at the moment at which patience ends is not lost.
func TestSlotComesTooLate(t *testing.T) {
	s := NewSlots(1)
	s.Acquire(t.Context(), time.Now(), Need{1, Configured})
	late := &turn{Need{1, Configured}, make(chan struct{})}
	s.waiting[Configured] = append(s.waiting[Configured], late)
	s.Release(Need{1, Configured}) // serves it: the slot is taken
	s.leave(late)
	if s.Taken() != 0 {
		t.Errorf("taken() = %d after the slot was given back, want 0", s.Taken())
	}
}

// Who wants several slots waits until all of them are free, nobody passes, and who wants more than there are takes them
// all.
func TestSlotsOfDifferentSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(4)
		began := time.Now()
		got := make(chan acquired, 3)
		s.Acquire(t.Context(), began, Need{3, Configured})
		for _, caller := range []struct {
			who string
			n   int
		}{{"two", 2}, {"one", 1}, {"nine", 9}} {
			go func() {
				has := s.Acquire(t.Context(), began.Add(time.Hour), Need{caller.n, Configured})
				got <- acquired{caller.who, has, time.Since(began)}
				time.Sleep(time.Minute)
				s.Release(Need{caller.n, Configured})
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		s.Release(Need{3, Configured})
		synctest.Wait()
		var order []acquired
		time.Sleep(3 * time.Minute)
		for range 3 {
			order = append(order, <-got)
		}
		slices.SortFunc(order, func(a, b acquired) int { return strings.Compare(a.Who, b.Who) })
		want := []acquired{{"nine", true, time.Minute + time.Second}, {"one", true, time.Second},
			{"two", true, time.Second}}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if s.Taken() != 0 {
			t.Errorf("taken() = %d at the end, want 0", s.Taken())
		}
	})
}

// Ad hoc probes leave what is reserved, wait behind configured targets, and have at least one slot.
func TestReservedSlots(t *testing.T) {
	for _, row := range []struct {
		name            string
		limit, reserved int
		asks            string // c: a configured target, a: ad hoc; in this order, everybody keeps what it has
		want            string // who has slots at once, and after one of the first has been released
		released        string
	}{
		{"nothing is reserved", 4, 0, "aaaaa", "aaaa", "aaaaa"},
		{"one is reserved", 4, 1, "aaaac", "aaac", "aaaac"},
		{"at most a half is reserved", 4, 100, "aaac", "aac", "aaac"},
		{"configured targets may have all", 4, 2, "cccca", "cccc", "acccc"},
		{"a configured target is served first", 2, 1, "acac", "ac", "acc"},
		{"one slot is for whoever comes first", 1, 100, "aac", "a", "ac"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1)
				s.Resize(row.limit, row.reserved)
				ctx, cancel := context.WithCancel(t.Context())
				has := make(chan string, len(row.asks))
				by := map[rune]User{'c': Configured, 'a': AdHoc}
				for _, who := range row.asks {
					go func() {
						if s.Acquire(ctx, time.Now().Add(time.Hour), Need{1, by[who]}) {
							has <- string(who)
						}
					}()
					synctest.Wait()
				}
				sorted := func() string {
					var all []string
					for len(has) > 0 {
						all = append(all, <-has)
					}
					slices.Sort(all)
					return strings.Join(all, "")
				}
				got := sorted()
				if got != row.want {
					t.Errorf("%q have slots, want %q", got, row.want)
				}
				s.Release(Need{1, by[rune(row.asks[0])]})
				synctest.Wait()
				next := []byte(got + sorted())
				slices.Sort(next)
				if string(next) != row.released {
					t.Errorf("after a release %q have had slots, want %q", next, row.released)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

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

// Every row is a script on slots with a limit of 1, which the first caller takes at once.
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
			s.release(need{1, configured})
			time.Sleep(time.Second)
			s.release(need{1, configured})
		}, []acquired{{"b", true, time.Second}, {"c", true, 2 * time.Second}}, 1},
		{"patience ends, and the slot goes to the next", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", time.Second, never)
			ask("c", never, never)
			time.Sleep(3 * time.Second)
			s.release(need{1, configured})
		}, []acquired{{"b", false, time.Second}, {"c", true, 3 * time.Second}}, 1},
		{"the context is cancelled", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, time.Second)
			time.Sleep(2 * time.Second)
			s.release(need{1, configured})
		}, []acquired{{"b", false, time.Second}}, 0},
		{"the context has been cancelled, though a slot is free", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			s.release(need{1, configured})
			ask("b", never, 0)
		}, []acquired{{"b", false, 0}}, 0},
		{"the limit is raised", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			ask("b", never, never)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.resize(3, 0)
		}, []acquired{{"b", true, time.Second}, {"c", true, time.Second}}, 3},
		{"the limit is lowered: nobody is thrown out, and nobody comes in", func(s *slots, ask func(string, time.Duration, time.Duration)) {
			s.resize(2, 0)
			ask("b", never, never)
			s.resize(1, 0)
			ask("c", never, never)
			time.Sleep(time.Second)
			s.release(need{1, configured})
			time.Sleep(time.Second)
			s.release(need{1, configured})
		}, []acquired{{"b", true, 0}, {"c", true, 2 * time.Second}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSlots(1)
				s.acquire(t.Context(), time.Now(), need{1, configured})
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
						has := s.acquire(ctx, asked.Add(patience), need{1, configured})
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
	s.acquire(t.Context(), time.Now(), need{1, configured})
	late := &turn{need{1, configured}, make(chan struct{})}
	s.waiting[configured] = append(s.waiting[configured], late)
	s.release(need{1, configured}) // serves it: the slot is taken
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
		s.acquire(t.Context(), began, need{3, configured})
		for _, caller := range []struct {
			who string
			n   int
		}{{"two", 2}, {"one", 1}, {"nine", 9}} {
			go func() {
				has := s.acquire(t.Context(), began.Add(time.Hour), need{caller.n, configured})
				got <- acquired{caller.who, has, time.Since(began)}
				time.Sleep(time.Minute)
				s.release(need{caller.n, configured})
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		s.release(need{3, configured})
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
				s := newSlots(1)
				s.resize(row.limit, row.reserved)
				ctx, cancel := context.WithCancel(t.Context())
				has := make(chan string, len(row.asks))
				by := map[rune]user{'c': configured, 'a': adHoc}
				for _, who := range row.asks {
					go func() {
						if s.acquire(ctx, time.Now().Add(time.Hour), need{1, by[who]}) {
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
				s.release(need{1, by[rune(row.asks[0])]})
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

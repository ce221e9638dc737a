package schedule

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestInterval(t *testing.T) {
	for _, test := range []struct {
		name            string
		probes          int
		slowest, budget time.Duration
		want            time.Duration
	}{
		{"no probes", 0, time.Second, 10 * time.Second, 0},
		{"few probes", 10, 10 * time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"as many as fit into half of the time", 950, 10 * time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"more: closer together", 4750, 10 * time.Second, 9500 * time.Millisecond, time.Millisecond},
		{"short timeouts: what they leave", 1500, time.Second, 9500 * time.Millisecond, 5 * time.Millisecond},
		{"short timeouts and many", 8330, time.Second, 9500 * time.Millisecond, 918007 * time.Nanosecond},
		{"all of the time", 100, 200 * time.Millisecond, 200 * time.Millisecond, time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Interval(test.probes, test.slowest, test.budget); got.Round(time.Nanosecond) != test.want {
				t.Errorf("Interval() = %s, want %s", got, test.want)
			}
		})
	}
}

// Starts are an interval apart on average, however long the caller takes between them.
func TestPacer(t *testing.T) {
	const ms = time.Millisecond
	type start struct{ takes, at time.Duration }
	for _, test := range []struct {
		name     string
		together int
		starts   []start
	}{
		{"one by one", 1, []start{{0, 0}, {ms, 5 * ms}, {12 * ms, 10 * ms}, {0, 22 * ms}, {0, 22 * ms}, {0, 25 * ms}}},
		{"three together", 3, []start{{0, 0}, {0, 0}, {ms, 0}, {0, 15 * ms}, {20 * ms, 15 * ms}, {0, 35 * ms},
			{0, 35 * ms}, {0, 35 * ms}, {0, 35 * ms}, {0, 45 * ms}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				p := NewPacer(5*ms, test.together)
				for i, s := range test.starts {
					p.Wait()
					if got := time.Since(began); got != s.at {
						t.Errorf("start %d is at %s, want %s", i, got, s.at)
					}
					time.Sleep(s.takes)
				}
			})
		})
	}
}

func TestReserve(t *testing.T) {
	for _, test := range []struct {
		budget  time.Duration
		targets int
		want    time.Duration
	}{
		{9500 * time.Millisecond, 1, 20100 * time.Microsecond},
		{9500 * time.Millisecond, 1000, 120 * time.Millisecond},
		{100 * time.Millisecond, 1, 10 * time.Millisecond},
	} {
		if got := Reserve(test.budget, test.targets); got != test.want {
			t.Errorf("Reserve(%s, %d) = %s, want %s", test.budget, test.targets, got, test.want)
		}
	}
}

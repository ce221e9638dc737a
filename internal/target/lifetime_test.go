package target

import (
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/lifetime"
	"errno_exporter/prober"
)

// The search finds when real servers end idle connections, and how. It is driven by steps as scrapes would.
func TestLifetimeIsMeasured(t *testing.T) {
	const after = 700 * time.Millisecond
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host) string
		end   lifetime.End
		lives bool // for a while; else no second request is served
	}{
		{"FIN", func(h faultlab.Host) string { return faultlab.ClosesIdle(h, after) }, lifetime.FIN, true},
		{"RST", func(h faultlab.Host) string { return faultlab.ResetsIdle(h, after) }, lifetime.RST, true},
		{"GOAWAY", func(h faultlab.Host) string { return faultlab.GoesAwayIdle(h, after) }, lifetime.GoAway, true},
		{"RST on use", faultlab.SecondReset, lifetime.RST, false},
		{"silence", faultlab.SecondSilent, lifetime.Silence, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var all atomic.Int64
			k, p := newTestedPool(t, row.serve(t), &all), prober.New(prober.Options{})
			k.module.TLS.InsecureSkipVerify = true
			if !row.lives {
				k.module.Timeout = time.Second
			}
			for range 100 {
				if k.lifetime.Search().Done(time.Minute) {
					break
				}
				age, ok := k.lifetime.begin(time.Now(), time.Minute)
				if !ok {
					t.Fatalf("no trial is due: %+v", k.lifetime.Search())
				}
				k.lifetime.end(age, k.try(t.Context(), p, age))
			}
			got := k.lifetime.Search()
			if got.End != row.end || !got.Narrow() || got.Survived > 0 != row.lives {
				t.Errorf("%+v, want a narrow bracket, %s, survivors %t", got, row.end, row.lives)
			}
		})
	}
}

// One trial is under way at a time, it is begun by a probe that succeeded, and it ends with the pool.
func TestOneTrialAtATime(t *testing.T) {
	var all atomic.Int64
	k, p := newTestedPool(t, faultlab.Handler(t, faultlab.Healthy), &all), prober.New(prober.Options{})
	k.Fill(t.Context(), p)
	if n := all.Load(); n != 0 {
		t.Errorf("%d trials where nothing is measured, want none", n)
	}
	k.measured = time.Hour
	for range 3 {
		k.Fill(t.Context(), p)
		if n := all.Load(); n != 1 {
			t.Errorf("%d connections after a probe, want 1", n)
		}
	}
	k.Close()
	ended := time.NewTicker(10 * time.Millisecond)
	defer ended.Stop()
	for all.Load() != 0 {
		<-ended.C // the test's own timeout bounds it
	}
	k.Fill(t.Context(), p)
	if n, search := all.Load(), k.lifetime.Search(); n != 0 || search != (lifetime.Search{}) {
		t.Errorf("%d trials after the end, %+v", n, search)
	}
}

// While nothing is to be learned any more, a trial is due once in the longest age that is measured.
func TestTrialsAreRare(t *testing.T) {
	const most = time.Minute
	now := time.Now()
	survived := func(age time.Duration, tried time.Time) *found {
		return &found{lifetime.Search{Survived: age}, tried}
	}
	for _, row := range []struct {
		name  string
		l     *Lifetime
		age   time.Duration
		begin bool
	}{
		{"the first", &Lifetime{}, time.Second, true},
		{"one is under way", &Lifetime{busy: true}, 0, false},
		{"the next", &Lifetime{found: survived(time.Second, now)}, 2 * time.Second, true},
		{"all is known", &Lifetime{found: survived(most, now.Add(-most+1))}, 0, false},
		{"all was known", &Lifetime{found: survived(most, now.Add(-most))}, most, true},
	} {
		if age, begin := row.l.begin(now, most); age != row.age || begin != row.begin {
			t.Errorf("%s: %s, %t, want %s, %t", row.name, age, begin, row.age, row.begin)
		}
	}
}

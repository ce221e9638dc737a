package watch

import (
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// awaitIdle scrapes again and again until the connection of an age has been used or has ended.
func awaitIdle(t *testing.T, b *tested, age time.Duration) state.IdleAge {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for range 200 {
		for _, a := range b.Scrape(t.Context(), 10*time.Second)[0].Idle.Ages {
			if a.Age == age {
				return a
			}
		}
		<-ticker.C
	}
	t.Fatalf("nothing became of the connection kept for %s", age)
	return state.IdleAge{}
}

// The measured age is right within a scrape's interval, and the fresh probe of the same scrape succeeds.
func TestIdle(t *testing.T) {
	const age = time.Second
	for _, row := range []struct {
		name   string
		serve  func(faultlab.Host) string
		used   bool
		phase  result.Phase
		reason result.Reason
		idle   time.Duration
	}{
		{"healthy", func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) }, true, "", "", age},
		{"the server closes before", func(h faultlab.Host) string {
			return faultlab.ClosesIdle(h,
				400*time.Millisecond)
		}, false, result.Idle, result.TCPClosed, 400 * time.Millisecond},
		{"the server resets before", func(h faultlab.Host) string {
			return faultlab.IdleReset(h,
				400*time.Millisecond)
		}, false, result.Idle, result.TCPReset, 400 * time.Millisecond},
		{"the server resets the second request", faultlab.SecondReset, true, result.Processing, result.TCPReset, age},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := parse(t, "targets:\n"+item("a", row.serve(t)))
			c.Modules["api"].Keepalive = []time.Duration{age}
			b := newTested(t, c)
			t.Cleanup(b.Close)
			got := awaitIdle(t, b, age)
			var phase result.Phase
			var reason result.Reason
			if f := got.Last.Failure; f != nil {
				phase, reason = f.Phase, f.Reason
			}
			if got.Last.Used != row.used || phase != row.phase || reason != row.reason {
				t.Errorf("used %t, %s %s, want %t, %s %s", got.Last.Used, phase, reason, row.used, row.phase,
					row.reason)
			}
			if got.Last.Idle < row.idle-100*time.Millisecond || got.Last.Idle > row.idle+500*time.Millisecond {
				t.Errorf("idle for %s, want %s", got.Last.Idle, row.idle)
			}
			if state := b.Scrape(t.Context(), 10*time.Second)[0]; state.Outcome.Result.Failure != nil {
				t.Errorf("the fresh probe failed: %+v", state.Outcome.Result.Failure)
			}
			if n := b.own(t, "errno_exporter_kept_connections"); n < 0 || n > 1 {
				t.Errorf("errno_exporter_kept_connections %v, want 0 or 1", n)
			}
		})
	}
}

// What the server says of keeping is reported, and nothing is kept against its word.
func TestIdleAnnounced(t *testing.T) {
	for _, row := range []struct {
		name, header, value string
		want                time.Duration
		kept                float64
	}{
		{"closes", "Connection", "close", -1, 0},
		{"keeps for less", "Keep-Alive", "timeout=5", 5 * time.Second, 1},
		{"keeps for longer", "Keep-Alive", "timeout=3600", time.Hour, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				w.Header().Set(row.header, row.value)
			}))
			c := parse(t, "targets:\n"+item("a", url))
			c.Modules["api"].Keepalive = []time.Duration{2 * time.Second, time.Minute}
			b := newTested(t, c)
			b.Scrape(t.Context(), 10*time.Second)
			pool := b.current()[0].Idle
			ticker := time.NewTicker(time.Millisecond)
			defer ticker.Stop()
			for i := 0; (pool.State().Announced != row.want ||
				b.own(t, "errno_exporter_kept_connections") != row.kept) && i < 5000; i++ {
				<-ticker.C // they are made after the scrape
			}
			if got, n := pool.State().Announced, b.own(t, "errno_exporter_kept_connections"); got != row.want ||
				n != row.kept {
				t.Errorf("announced %s, %v kept, want %s, %v", got, n, row.want, row.kept)
			}
			b.Close()
			for i := 0; b.own(t, "errno_exporter_kept_connections") != 0 && i < 5000; i++ {
				<-ticker.C // one that was being made is closed when it is there
			}
			if n := b.own(t, "errno_exporter_kept_connections"); n != 0 {
				t.Errorf("%v kept after Close, want 0", n)
			}
		})
	}
}

// A reload closes what was kept.
func TestIdleIsClosedOnReload(t *testing.T) {
	gone := make(chan struct{}, 10)
	url := faultlab.Gone(t, gone)
	text := "targets:\n" + item("a", url)
	c := parse(t, text)
	c.Modules["api"].Keepalive = []time.Duration{time.Hour}
	b := newTested(t, c)
	b.Scrape(t.Context(), 10*time.Second)
	pool := b.current()[0].Idle
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for b.idle.Load() != 1 {
		<-ticker.C
	}
	b.Apply(parse(t, text))
	<-gone // the probe's
	<-gone
	pool.Fill(t.Context(), prober.New(prober.Options{}))
	if n := b.idle.Load(); n != 0 {
		t.Errorf("the pool of before the reload makes connections: %d", n)
	}
}

// A kept connection that is dead delays no scrape, and has the module's timeout, whatever time the scrape has.
func TestIdleDelaysNobody(t *testing.T) {
	const age, budget = 200 * time.Millisecond, 20 * time.Second
	for _, row := range []struct {
		name    string
		timeout time.Duration // the module's
		budget  time.Duration // of the scrapes
		least   time.Duration // that the idle connection is given
	}{
		{"scrapes have longer than the module", time.Second, budget, time.Second},
		{"scrapes have less than the module", time.Second, 250 * time.Millisecond, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := parse(t, "targets:\n"+item("a", faultlab.SecondSilent(t)))
			c.Modules["api"].Keepalive, c.Modules["api"].Timeout = []time.Duration{age}, row.timeout
			b := newTested(t, c)
			t.Cleanup(b.Close)
			pool := b.current()[0].Idle
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for i := 0; len(pool.State().Ages) == 0 && i < 1000; i++ {
				began := time.Now()
				state := b.Scrape(t.Context(), row.budget)[0]
				if took := time.Since(began); took > row.timeout-200*time.Millisecond {
					t.Errorf("a scrape took %s", took)
				}
				if seen(state) != "" {
					t.Errorf("the fresh probe: %q, want a success", seen(state))
				}
				<-ticker.C
			}
			ages := pool.State().Ages
			if len(ages) == 0 {
				t.Fatal("nothing became of the idle connection")
			}
			last := ages[0].Last
			if last.Failure == nil || last.Failure.Reason != result.HTTPResponseTimedOut ||
				last.Attempt.Elapsed < row.least || last.Attempt.Elapsed > row.least+hangs {
				t.Errorf("the idle connection: %+v after %s, want http.response.timed_out after %s", last.Failure,
					last.Attempt.Elapsed, row.least)
			}
		})
	}
}

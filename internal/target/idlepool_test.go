package target

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/guard"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// newTestedPool is the pool of a target whose module keeps connections for some ages. Their lifetime is not measured.
func newTestedPool(t *testing.T, url string, all *atomic.Int64, ages ...time.Duration) *IdlePool {
	t.Helper()
	parsed, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	m := module.New("m")
	m.Keepalive, m.KeepaliveMax = ages, time.Hour // without both there would be no pool
	k := NewIdlePool(&Target{Known: NewKnown(), Config: &config.Target{URL: parsed.URL, Module: m}}, all, nil)
	k.measured = 0
	return k
}

// A server that announced less than is wanted is asked again later, by a probe as good as any: no reload is needed once
// it announces more.
func TestAnnouncementChanges(t *testing.T) {
	var timeout atomic.Value
	timeout.Store("timeout=1")
	url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.Header().Set("Keep-Alive", timeout.Load().(string))
	}))
	var all atomic.Int64
	pool, p := newTestedPool(t, url, &all, time.Minute, time.Hour), prober.New(prober.Options{})
	t.Cleanup(pool.Close)
	for _, row := range []struct {
		name, announce string
		later          time.Duration // since the server was asked
		want           time.Duration
		kept           int64
	}{
		{"announces less than every age", "timeout=1", 0, time.Second, 0},
		{"announces more, and is believed for the moment", "timeout=120", announcementAge / 2, time.Second, 0},
		{"is asked again", "timeout=120", announcementAge, 2 * time.Minute, 1},
		{"announces more still", "timeout=7200", announcementAge, 2 * time.Hour, 2},
	} {
		timeout.Store(row.announce)
		pool.mu.Lock()
		pool.asked = pool.asked.Add(-row.later)
		pool.mu.Unlock()
		pool.Fill(t.Context(), p)
		if got, n := pool.State().Announced, all.Load(); got != row.want || n != row.kept {
			t.Errorf("%s: announced %s, %d kept, want %s, %d", row.name, got, n, row.want, row.kept)
		}
	}
}

// A panic on a connection that is kept, or while one is made to be kept, is reported, and leaves the age to the next
// connection.
func TestPanicInIdlePool(t *testing.T) {
	reported := make(chan *guard.Panic, 10)
	var all atomic.Int64
	k := newTestedPool(t, faultlab.Handler(t, faultlab.Healthy), &all, time.Nanosecond)
	m := k.module
	k.panicked = func(p *guard.Panic) { reported <- p }
	p := prober.New(prober.Options{})
	for _, row := range []struct {
		name    string
		module  *module.Module // nil: its first use panics
		act     func()
		kept    bool
		reports int
	}{
		{"a panic while one is made", nil, func() { k.Fill(t.Context(), p) }, false, 1},
		{"one is made", m, func() { k.Fill(t.Context(), p) }, true, 0},
		{"a panic while it is used", nil, func() { <-k.Use(t.Context()) }, false, 1},
		{"another is made", m, func() { k.Fill(t.Context(), p) }, true, 0},
		{"it is used", m, func() { <-k.Use(t.Context()) }, true, 0},
	} {
		k.module = row.module
		row.act()
		s := &k.slots[0]
		want := int64(0)
		if row.kept {
			want = 1
		}
		if s.busy || (s.conn != nil) != row.kept || all.Load() != want || len(reported) != row.reports {
			t.Errorf("%s: busy %t, kept %t, %d of all, %d panics; want false, %t, %d, %d", row.name, s.busy,
				s.conn != nil, all.Load(), len(reported), row.kept, want, row.reports)
		}
		for len(reported) > 0 {
			<-reported
		}
	}
	k.Close()
}

// 1,000 connections are kept idle, of all targets together. The next one waits until one of them has ended.
func TestIdleConnectionsAreBounded(t *testing.T) {
	const most = 1000
	var all atomic.Int64
	pools := make([]*IdlePool, most+1)
	for i := range pools {
		pools[i] = newTestedPool(t, "http://a.example/", &all, time.Minute)
		if wants := pools[i].wants(&pools[i].slots[0]); wants != (i < most) {
			t.Fatalf("connection %d is made: %t, want %d of them", i+1, wants, most)
		}
	}
	pools[0].filled(&pools[0].slots[0], nil, 0) // it could not be made
	if !pools[most].wants(&pools[most].slots[0]) {
		t.Errorf("one of %d connections is gone, and none is made in its place", most)
	}
	claims.Prove(t, "connections kept idle", most)
}

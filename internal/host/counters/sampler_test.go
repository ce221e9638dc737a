package counters

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lab is a folder of counters that a test changes, and the Sampler that reads it.
type lab struct {
	*Sampler
	t      *testing.T
	folder string
	resets int
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, folder: t.TempDir(), resets: 5}
	l.rise(0)
	sampler, err := NewSampler(l.folder, nil)
	if sampler == nil || err == nil { // snmp6 and others are missing
		t.Fatalf("NewSampler = %v, %v, want a sampler and which files are missing", sampler, err)
	}
	l.Sampler = sampler
	return l
}

// rise has the kernel count so many RSTs.
func (l *lab) rise(by int) {
	l.resets += by
	text := fmt.Sprintf("Tcp: RetransSegs OutRsts\nTcp: 5 %d\n", l.resets)
	if err := os.WriteFile(filepath.Join(l.folder, "snmp"), []byte(text), 0o644); err != nil {
		l.t.Error(err)
	}
}

// What rose from before a probe to after its failure is found, however long the probe takes, no later than a second
// after its end, and samples are at least a second apart.
func TestAround(t *testing.T) {
	rose := func(by uint64) []Change {
		return []Change{{"TcpOutRsts", by, "this host sent a RST"}}
	}
	for _, row := range []struct {
		name     string
		last     time.Duration // from the sample before to the probe
		took     time.Duration // the probe
		by       int           // the counter rose during the probe
		awaited  bool          // when it has ended
		from, to time.Duration // from the first sample
		want     []Change
	}{
		{"long after the last sample, short", time.Minute, time.Millisecond, 3, true, time.Minute, time.Minute + time.Second,
			rose(3)},
		{"long after the last sample, long", time.Minute, 5 * time.Second, 3, false, time.Minute, time.Minute + 5*time.Second,
			rose(3)},
		{"just after the last sample, short", 100 * time.Millisecond, time.Millisecond, 1, true, 0, time.Second, rose(1)},
		{"just after the last sample, into the next second", 900 * time.Millisecond, 200 * time.Millisecond, 1, false, 0,
			1100 * time.Millisecond, rose(1)},
		{"at once", 0, 0, 0, true, 0, time.Second, []Change{}},
		{"nothing rose", time.Minute, 2 * time.Second, 0, false, time.Minute, time.Minute + 2*time.Second, []Change{}},
		{"a counter that was reset", time.Minute, 2 * time.Second, -1, false, time.Minute, time.Minute + 2*time.Second,
			[]Change{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				began := l.last.Load().At
				time.Sleep(row.last)
				before := l.Before()
				l.rise(row.by)
				time.Sleep(row.took)
				a := l.After(before)
				if a.Awaited() != row.awaited {
					t.Errorf("awaited %t, want %t", a.Awaited(), row.awaited)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				want := &Changes{From: began.Add(row.from), To: began.Add(row.to), Changed: row.want}
				if diff := cmp.Diff(want, a.Changes()); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A thousand probes that fail in ten seconds have at most eleven samples, and nothing is left waiting.
func TestAtMostOneSampleASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		began := time.Now()
		var mu sync.Mutex
		times := map[time.Time]bool{}
		var probes sync.WaitGroup
		for i := range 1000 {
			probes.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				before := l.Before()
				time.Sleep(time.Duration(i%7) * 300 * time.Millisecond)
				ended := time.Now()
				a := l.After(before)
				time.Sleep(2 * time.Second)
				c := a.Changes()
				if c == nil || c.To.Before(ended) || c.To.Sub(ended) > time.Second {
					t.Errorf("probe %d ended at %s, changes %+v", i, ended.Sub(began), c)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				times[c.From], times[c.To] = true, true
			})
		}
		probes.Wait()
		if n := int(time.Since(began)/time.Second) + 1; len(times) > n || len(times) < 10 {
			t.Errorf("%d samples within %s, want at most %d", len(times), time.Since(began), n)
		}
		for at := range times {
			for other := range times {
				if apart := at.Sub(other).Abs(); apart != 0 && apart < time.Second {
					t.Errorf("two samples are %s apart, want at least a second", apart)
				}
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.waiting) > 0 || l.armed {
			t.Errorf("%d probes wait for a sample, armed %t, want none", len(l.waiting), l.armed)
		}
	})
}

// A command's only probe gets its sample at once.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		before := l.Before()
		l.rise(2)
		a := l.After(before)
		l.Settle()
		if c := a.Changes(); c == nil || len(c.Changed) != 1 || c.Changed[0].By != 2 {
			t.Errorf("changes %+v, want two RSTs", c)
		}
	})
}

// A sample whose reading began before a probe failed is not the one after its failure.
func TestSampleBeforeTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		later := &Around{before: l.Before(), ended: time.Now().Add(time.Millisecond)}
		l.waiting = append(l.waiting, later)
		l.Settle()
		if !later.Awaited() {
			t.Error("a failure got a sample from before it")
		}
		l.arm()
		time.Sleep(time.Second)
		synctest.Wait()
		if later.Awaited() {
			t.Error("a failure got no sample within a second")
		}
	})
}

// Where nothing can be read there is no Sampler, and that does nothing.
func TestNothingToRead(t *testing.T) {
	s, err := NewSampler(t.TempDir(), nil)
	if s != nil || err == nil {
		t.Fatalf("NewSampler = %v, %v, want none and why", s, err)
	}
	before := s.Before()
	a := s.After(before)
	s.Settle()
	sum, known := before.Sum("TcpOutRsts")
	if before != nil || a != nil || a.Changes() != nil || a.Awaited() || sum != 0 || known {
		t.Errorf("before %v, around %v, sum %d, %t, want nothing", before, a, sum, known)
	}
}

func TestLines(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 12, 4, 20e6, time.UTC)
	for _, row := range []struct {
		name    string
		changed []Change
		want    []string
	}{
		{"nothing", []Change{}, []string{"none"}},
		{"two", []Change{{"IpOutNoRoutes", 1, "no route"}, {"TcpExtIPReversePathFilter", 1234567, "rp_filter"}}, []string{
			"IpOutNoRoutes                  +1  no route",
			"TcpExtIPReversePathFilter  +1234567  rp_filter",
		}},
	} {
		c := &Changes{From: at, To: at.Add(1500 * time.Millisecond), Changed: row.changed}
		if diff := cmp.Diff(row.want, c.Lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		const want = "Kernel counters that rose from 03:12:04.020 to 03:12:05.520 UTC, of this network namespace and not " +
			"of the probe alone"
		if got := c.Heading(); got != want {
			t.Errorf("heading %q, want %q", got, want)
		}
	}
}

package watch

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	kept "errno_exporter/internal/store"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober"
)

// Counters, success rates and the last results of a target go on after a restart if it has the same name, URL and
// module, and all but the counters after it was killed; nothing that is stored has the text of an error.
func TestCountersAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	url := faultlab.ResetAfterRequest(t)
	same := "targets:\n" + item("a", url) + item("healthy", faultlab.Handler(t, faultlab.Healthy))
	type counted struct {
		Attempts, Failed uint64
		Ticks            int
		All              state.Share
	}
	for _, row := range []struct {
		name, targets string
		want          counted // after one more probe
	}{
		{"the first run", same, counted{1, 1, 1, state.Share{Probes: 1}}},
		{"a restart", same, counted{2, 2, 2, state.Share{Probes: 2}}},
		{"another restart", same, counted{3, 3, 3, state.Share{Probes: 3}}},
		{"another URL", "targets:\n" + item("a", url+"/other"), counted{1, 1, 1, state.Share{Probes: 1}}},
		{"the first URL again", same, counted{4, 4, 4, state.Share{Probes: 4}}},
		{"killed after a save", same, counted{5, 5, 5, state.Share{Probes: 5}}},
		{"a start after it", same, counted{1, 1, 6, state.Share{Probes: 6}}}, // Prometheus sees a reset to 0
		{"a restart after that", same, counted{2, 2, 7, state.Share{Probes: 7}}},
	} {
		stored := openStore(t, path)
		w := newSaved(t, stored, parse(t, row.targets))
		probed, _ := w.ProbeTarget(t.Context(), "a", time.Minute)
		if probed.Outcome == nil {
			t.Fatalf("%s: no outcome", row.name)
		}
		var counts state.Counts
		target := w.current()[0]
		target.Totals.CopyTo(&counts)
		at := target.Timeline.At(time.Now())
		got := counted{counts.Attempts, counts.Failed, len(at.Ticks), at.All}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if last := at.Ticks[len(at.Ticks)-1]; last.Record != probed.Outcome.Record {
			t.Errorf("%s: the last result has record %s, want %s", row.name, last.Record, probed.Outcome.Record)
		}
		for _, tick := range at.Ticks { // of all runs
			if f := tick.Failure; f == nil || f.Errno.Error() != "connection reset by peer" {
				t.Errorf("%s: a result has the failure %+v, want ECONNRESET", row.name, f)
			}
		}
		if strings.HasPrefix(row.name, "killed") {
			_ = w.saveTotals()
			stored.Close() // nothing is stored any more
		}
		w.Close()
		for _, key := range w.current() {
			k := key.Key()
			if body := stored.Totals(string(k[:])); strings.Contains(string(body), "reset by peer") {
				t.Errorf("%s: the text of an error is stored", row.name)
			}
		}
		stored.Close()
	}
}

// A target that a reload removes and another one brings back goes on from its last counters, which a scrape may have
// seen; after the exporter was killed it begins again.
func TestCountersComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	url := faultlab.ResetAfterRequest(t)
	with, without := parse(t, "targets:\n"+item("a", url)), parse(t, "targets: []\n")
	for _, row := range []struct {
		name   string
		killed bool
		want   uint64 // attempts after another probe, a removal, a return, and one more
	}{{"a new store", false, 2}, {"a restart", true, 4}, {"after it was killed", false, 1}, {"a restart after that", false, 3}} {
		stored := openStore(t, path)
		w := newSaved(t, stored, with)
		probe := func() {
			if probed, _ := w.ProbeTarget(t.Context(), "a", time.Minute); probed.Outcome == nil {
				t.Fatalf("%s: no outcome", row.name)
			}
		}
		probe()
		w.Apply(without)
		w.Apply(with)
		probe()
		var counts state.Counts
		w.current()[0].Totals.CopyTo(&counts)
		if counts.Attempts != row.want {
			t.Errorf("%s: %d attempts, want %d", row.name, counts.Attempts, row.want)
		}
		if row.killed {
			stored.Close() // nothing is stored any more
		}
		w.Close()
		stored.Close()
	}
}

// A reload takes the counters of a target that comes back from where they were saved last, and begins those that
// cannot be decoded again.
func TestDamagedCountersBeginAgain(t *testing.T) {
	stored := openStore(t, filepath.Join(t.TempDir(), "store.db"))
	c := parse(t, "targets:\n"+item("a", faultlab.ResetAfterRequest(t)))
	w := newSaved(t, stored, c)
	t.Cleanup(w.Close)
	key := w.current()[0].Key()
	for _, body := range []string{"", "\x00", "\x01damaged"} {
		err := stored.SaveTotals(func(yield func(string, []byte) bool) { yield(string(key[:]), []byte(body)) })
		if err != nil {
			t.Fatal(err)
		}
		var counts state.Counts
		w.saved.known(key).Totals.CopyTo(&counts)
		if diff := cmp.Diff(state.Counts{}, counts, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(state.Histogram{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", body, diff)
		}
	}
}

func openStore(t *testing.T, path string) *kept.Store {
	t.Helper()
	stored, err := kept.Open(kept.Options{Path: path, Retention: time.Hour, MaxSize: 32 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stored.Close)
	return stored
}

func newSaved(t *testing.T, stored *kept.Store, c *config.Config) *Watch {
	t.Helper()
	w := New(Options{Prober: prober.New(prober.Options{}), Remember: 10, Registry: prometheus.NewPedanticRegistry(),
		Saved: stored})
	w.Apply(c)
	return w
}

// Counters are saved the less often the more targets there are.
func TestSaveInterval(t *testing.T) {
	for _, row := range []struct {
		targets int
		want    time.Duration
	}{{0, 15 * time.Second}, {1, 15 * time.Second}, {50, 15 * time.Second}, {200, time.Minute},
		{1000, 5 * time.Minute}, {1 << 20, 5 * time.Minute}} {
		if got := saveInterval(row.targets); got != row.want {
			t.Errorf("%d targets are saved every %s, want %s", row.targets, got, row.want)
		}
	}
}

package archive

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/store"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The night that TestNight simulates, with a scrape each minute.
const (
	nightTargets   = 200
	nightIncidents = 40
	nightMinutes   = 8 * 60
)

// outage is what is to be found in the morning.
type outage struct {
	target     string
	kind       int // of failures
	begin, end int // minutes: of the first failure, and of the first success after it
}

// outages are forty of ten kinds, of as many targets, some at the same time.
func outages() []outage {
	var all []outage
	for n := range nightIncidents {
		begin := 5 + 11*n
		all = append(all, outage{fmt.Sprintf("target-%03d", 5*n), n % 10, begin, begin + 1 + 7*n%29})
	}
	return all
}

// failing are ten kinds of failures, each with its verdict.
func failing() (kinds []result.Result, verdicts []*cause.Verdict) {
	for _, r := range resulttest.Records() {
		if r.Result.Failure == nil || len(kinds) == 10 {
			continue
		}
		kinds = append(kinds, r.Result)
		verdicts = append(verdicts, &cause.Verdict{Cause: cause.Causes[len(kinds)].Cause, Party: cause.Server,
			Confidence: cause.High, Evidence: []string{"as simulated"}})
	}
	return kinds, verdicts
}

// night is an exporter that is restarted and killed.
type night struct {
	*lab
	t     *testing.T
	store *store.Store
	path  string
}

func (n *night) open() {
	n.store = open(n.t, n.path)
	n.lab = start(n.store, slog.New(slog.DiscardHandler))
}

// kill goes on with the file as it is on disk: what is not committed is lost. The old process is gone.
func (n *night) kill() {
	copied := filepath.Join(n.t.TempDir(), "killed.db")
	from, err := os.Open(n.store.Path())
	if err != nil {
		n.t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(copied)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		n.t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		n.t.Fatal(err)
	}
	n.path = copied
	n.open()
}

// TestNight simulates a night: 200 targets, 40 incidents of ten kinds, two restarts and one kill. In the morning each
// incident is found by its target and time, begins and ends right, and has its first record and its verdict.
func TestNight(t *testing.T) {
	kinds, verdicts := failing()
	success, m := resulttest.HTTPSuccess(), module.New("api")
	n := &night{t: t, path: filepath.Join(t.TempDir(), "night.db")}
	n.open()
	want := outages()
	fails := map[string][]outage{}
	for _, o := range want {
		fails[o.target] = append(fails[o.target], o)
	}
	probes := 0
	for minute := range nightMinutes {
		switch minute {
		case 100, 333:
			n.store.Close()
			n.open()
		case 222: // the scrape before was committed
			if err := n.store.Flush(); err != nil {
				t.Fatal(err)
			}
			n.kill()
		}
		for i := range nightTargets {
			probes++
			target := fmt.Sprintf("target-%03d", i)
			r, found := success, cause.Findings{}
			for _, o := range fails[target] {
				if o.begin <= minute && minute < o.end {
					r, found.Verdict = kinds[o.kind], verdicts[o.kind]
				}
			}
			r.URL, r.Module, r.Start = "http://"+target+".test/", m.Name, began(minute).Add(time.Duration(i)*time.Millisecond)
			id := ulid.ULID{13: byte(probes >> 16), 14: byte(probes >> 8), 15: byte(probes)}
			if err := id.SetTime(ulid.Timestamp(r.Start)); err != nil {
				t.Fatal(err)
			}
			n.publish(&watch.Published{ID: id, Target: target, Result: &r, Module: m, Reliable: true, Found: found})
		}
	}
	n.store.Close()
	n.open() // the next morning
	for _, o := range want {
		n.finds(o, kinds, verdicts)
	}
	if all := n.incidents.List(incident.Query{}); len(all) != len(want) {
		t.Errorf("%d incidents, want %d", len(all), len(want))
	}
}

// finds looks for an outage by its target and a time within it.
func (n *night) finds(o outage, kinds []result.Result, verdicts []*cause.Verdict) {
	n.t.Helper()
	within := began(o.begin).Add(30 * time.Second)
	list := n.incidents.List(incident.Query{Target: o.target, Since: within, Until: within})
	if len(list) != 1 {
		n.t.Errorf("%+v: %d incidents, want one", o, len(list))
		return
	}
	i, f := list[0], kinds[o.kind].Failure
	if i.Begin.Sub(began(o.begin)).Abs() > time.Minute || i.End.Sub(began(o.end)).Abs() > time.Minute ||
		i.Ended != incident.Recovered || i.Failed != o.end-o.begin || i.Attempts != i.Failed {
		n.t.Errorf("%+v: %d of %d failed from %s to %s, %s", o, i.Failed, i.Attempts, i.Begin, i.End, i.Ended)
	}
	if k := i.Main(); k.Phase != f.Phase || k.Reason != f.Reason || len(i.Kinds) != 1 ||
		i.Cause() != verdicts[o.kind].Cause || i.Verdict.Confidence != cause.High {
		n.t.Errorf("%+v: kinds %+v, verdict %+v, want %s in %s, %+v", o, i.Kinds, i.Verdict, f.Reason, f.Phase,
			verdicts[o.kind])
	}
	r := n.archive.Record(i.First)
	if r == nil || r.JSON.Name != o.target || r.JSON.Failure == nil || r.JSON.Failure.Reason != f.Reason ||
		!r.JSON.Start.Equal(i.Begin) || r.JSON.Verdict == nil {
		n.t.Errorf("%+v: the first record is %+v", o, r)
	}
}

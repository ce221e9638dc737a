package archive

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/store"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// id is that of the nth probe, at its time.
func id(n int) ulid.ULID {
	u := ulid.ULID{15: byte(n)}
	_ = u.SetTime(ulid.Timestamp(began(n))) // a time of this century
	return u
}

// began is when the nth probe began: one a minute.
func began(n int) time.Time { return resulttest.Began().Add(time.Duration(n) * time.Minute) }

// lab is an exporter's memory and store.
type lab struct {
	archive   *Archive
	incidents *incident.Log
	records   *history.History
	sink      watch.Sink
}

// start starts with what is stored.
func start(s *store.Store, logger *slog.Logger) *lab {
	l := &lab{records: history.New(10)}
	l.archive = New(s, l.records, logger)
	l.incidents = incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 2}, Changed: l.archive.Changed})
	l.incidents.Fill(l.archive.Incidents(0))
	l.sink = l.archive.RecordsOf(l.incidents)
	return l
}

// publish gives a probe to the sinks in their order.
func (l *lab) publish(p *watch.Published) {
	s := incident.Of(p.Result, p.Found)
	s.ID, s.Target = p.ID, p.Target
	if p.Later {
		l.incidents.Learned(s)
		l.records.Diagnosed(p.ID, p.Found)
	} else {
		l.incidents.Observe(s, nil)
		l.records.Add(history.Record{ID: p.ID, Target: p.Target, Result: p.Result, Module: p.Module, Found: p.Found})
	}
	l.sink(p)
}

// probe is the nth one: "." a success, "R" a reset, "T" a timeout, "d" the experiments after the failure before it.
func probe(n int, what byte) *watch.Published {
	r := resulttest.ResetInProcessing()
	p := &watch.Published{ID: id(n), Target: "payments", Result: &r, Module: module.New("api")}
	switch what {
	case '.':
		r = resulttest.HTTPSuccess()
		r.URL, r.Module = resulttest.Records()[0].Result.URL, "api"
	case 'T':
		f := *r.Failure
		f.Reason = result.TCPTimedOut
		r.Failure, r.Attempts[len(r.Attempts)-1].Failure = &f, &f
	case 'd':
		n--
		p.ID, p.Later = id(n), true
		p.Found = cause.Findings{Verdict: &cause.Verdict{Cause: cause.ServerAborts, Party: cause.Server,
			Confidence: cause.High}}
	}
	r.URL = "https://www.example.com/health"
	r.Start = began(n)
	return p
}

// Which records of failures are stored: rows are probes, one a minute, and the records of each incident.
func TestRecordsOf(t *testing.T) {
	for _, row := range []struct {
		name, probes string
		want         []byte // the last bytes of the IDs, the newest first
		first        []byte // of these
	}{
		{"successes", "....", nil, nil},
		{"the first", "R", []byte{1}, []byte{1}},
		{"of each kind", "RRTTR", []byte{3, 1}, []byte{1}},
		{"and one in ten minutes", "RRRRRRRRRRRRR", []byte{11, 1}, []byte{1}},
		{"the one that was diagnosed", "RRd", []byte{2, 1}, []byte{1}},
		{"the last, when the incident is over", "RRR..", []byte{3, 1}, []byte{1}},
		{"and of the next incident", "R..RR", []byte{4, 1}, []byte{4, 1}},
	} {
		s := open(t, t.TempDir())
		l := start(s, slog.New(slog.DiscardHandler))
		for n, what := range []byte(row.probes) {
			l.publish(probe(n+1, what))
		}
		stored, err := s.Records(store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		var got, first []byte
		for _, r := range stored {
			got = append(got, r.ID[15])
			if r.First {
				first = append(first, r.ID[15])
			}
		}
		if !slices.Equal(got, row.want) || !slices.Equal(first, row.first) {
			t.Errorf("%s: records %v, first %v, want %v, %v", row.name, got, first, row.want, row.first)
		}
	}
}

// After a restart there are the same incidents, and their records; an incident that lasted goes on.
func TestRestart(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	l := start(s, slog.New(slog.DiscardHandler))
	for n, what := range []byte("RRd..TT") {
		l.publish(probe(n+1, what))
	}
	want := l.incidents.List(incident.Query{})
	s.Close()

	var log bytes.Buffer
	s = open(t, folder)
	s.PutIncident(store.Incident{ID: store.ID(id(90)), Target: "torn", Begin: began(90), Body: []byte("{")})
	l = start(s, slog.New(slog.NewTextHandler(&log, nil)))
	got := l.incidents.List(incident.Query{})
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b ulid.ULID) bool { return a == b })); diff != "" || len(got) != 2 {
		t.Errorf("incidents (-before +after the restart):\n%s", diff)
	}
	if !strings.Contains(log.String(), "number=1") {
		t.Errorf("nothing says that one incident cannot be read:\n%s", log.String())
	}
	if i := l.archive.Incident(id(1)); i == nil || i.Failed != 2 || i.Cause() != cause.ServerAborts || i.Open() {
		t.Errorf("%+v, want the incident that was over, with its verdict", i)
	}
	l.publish(probe(8, 'T'))
	if i := l.incidents.Open("payments"); i == nil || i.ID != id(6) || i.Failed != 3 {
		t.Errorf("%+v, want the incident that lasted, with three failures", i)
	}
	r := l.archive.Record(id(2))
	if r == nil || r.JSON.ID != id(2) || r.JSON.Name != "payments" || r.JSON.Failure.Reason != result.TCPReset ||
		r.JSON.Verdict == nil || !strings.HasPrefix(r.Text, "FAILED: https://www.example.com/health: ") ||
		!strings.HasPrefix(r.Curl, "curl ") || len(r.JSON.Attempts) != 1 {
		t.Errorf("%+v, want the record with its verdict, text and command", r)
	}
	if l.archive.Record(id(4)) != nil || l.archive.Incident(id(4)) != nil || l.archive.Incident(id(90)) != nil {
		t.Error("a success, or what is torn, is read")
	}
}

// Without a store nothing is stored, and nothing fails.
func TestWithoutStore(t *testing.T) {
	l := start(nil, slog.New(slog.DiscardHandler))
	for n, what := range []byte("RR..") {
		l.publish(probe(n+1, what))
	}
	if len(l.incidents.List(incident.Query{})) != 1 || l.archive.Record(id(1)) != nil || l.archive.Incident(id(1)) != nil {
		t.Error("want one incident in memory, and nothing stored")
	}
}

func open(t testing.TB, folder string) *store.Store {
	t.Helper()
	s, err := store.Open(store.Options{Path: folder, Retention: 1e6 * time.Hour, MaxSize: 64 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

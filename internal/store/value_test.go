package store

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/guard"
)

// madeLater is a body that is made when it is wanted; it counts how often.
func madeLater(text string, size int) (*Later, *atomic.Int32) {
	made := new(atomic.Int32)
	return &Later{Size: size, Make: func() []byte {
		made.Add(1)
		return []byte(text)
	}}, made
}

// A body that is made later is made by nobody who puts it: by whoever reads it while it waits, and for the file.
func TestLater(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	body, made := madeLater(strings.Repeat("late ", 100), 700)
	r, i := recordAt("a", began, 1), incidentAt("a", began, 2)
	r.Body, r.Later = nil, body
	i.Body, i.Later = nil, body
	s.PutRecord(r)
	s.PutIncident(i)
	if n := made.Load(); n != 0 {
		t.Errorf("putting made the body %d times", n)
	}
	want := body.Make()
	for _, row := range []struct {
		name string
		made int32 // from the row before on
	}{{"while they wait", 4}, {"in the file", 2}} {
		before := made.Load()
		if row.name == "in the file" {
			s.flush(t)
		}
		gotRecord, _ := s.Record(r.ID)
		gotIncident, _ := s.Incident(i.ID)
		records, err := s.Records(Query{})
		incidents, also := s.Incidents(Query{})
		if err != nil || also != nil || len(records) != 1 || len(incidents) != 1 {
			t.Fatalf("%s: %d records, %d incidents: %v, %v", row.name, len(records), len(incidents), err, also)
		}
		for name, got := range map[string][]byte{"record": gotRecord.Body, "incident": gotIncident.Body,
			"listed record": records[0].Body, "listed incident": incidents[0].Body} {
			if string(got) != string(want) {
				t.Errorf("%s: the %s has the body %q, want %q", row.name, name, got, want)
			}
		}
		if n := made.Load() - before; n != row.made {
			t.Errorf("%s: the body was made %d times, want %d", row.name, n, row.made)
		}
	}
}

// A body that cannot be made or is too large is dropped and counted, and what was put beside it is written. One that
// would hold too much memory while it waits is made at once.
func TestLaterThatFails(t *testing.T) {
	t.Parallel()
	o, s := options(t, file(t))
	var panics atomic.Int32
	var atOnce atomic.Bool
	o.Panicked = func(*guard.Panic) { panics.Add(1) }
	s.open(t, o)
	for n, body := range []*Later{
		{Make: func() []byte { return []byte("made") }},
		{Make: func() []byte { panic("no text") }},
		{Make: func() []byte { return make([]byte, maxBody+1) }},
		{Make: func() []byte { atOnce.Store(true); return []byte("at once") }, Size: maxQueued},
	} {
		r := recordAt("a", began, n)
		r.Body, r.Later = nil, body
		s.PutRecord(r)
	}
	if !atOnce.Load() {
		t.Error("what does not fit is not made at once")
	}
	s.flush(t)
	all, err := s.Records(Query{})
	if err != nil || len(all) != 2 || string(all[0].Body) != "at once" || string(all[1].Body) != "made" {
		t.Errorf("the records are %+v, %v, want two", all, err)
	}
	if got := s.Stats(); got.Dropped != 2 || panics.Load() != 1 || !got.Up {
		t.Errorf("the figures are %+v and %d panics, want two dropped, one by a panic", got, panics.Load())
	}
}

// A minor change is written when its interval is over, when what waits is much, and with Flush and Close; readers see
// it before, and what is not minor is not held up by it.
func TestMinor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		minor time.Duration
		size  int
		then  func(*tested)
		want  string // in the file
	}{
		{"it waits", time.Hour, 0, func(s *tested) { s.PutRecord(recordAt("a", began, 2)) }, "begun"},
		{"its interval is over", time.Millisecond, 0, func(*tested) {}, "minor"},
		{"much waits", time.Hour, 3 << 19, func(*tested) {}, "minor"},
		{"Flush", time.Hour, 0, func(s *tested) { s.flush(t) }, "minor"},
		{"Close", time.Hour, 0, func(s *tested) { s.Close() }, "minor"},
		{"a change that is none", time.Hour, 0, func(s *tested) { s.PutIncident(summary("ended", 0)) }, "ended"},
	} {
		o, s := options(t, file(t))
		o.Every, o.minor = time.Millisecond, row.minor
		s.open(t, o)
		s.PutIncident(summary("begun", 0))
		s.flush(t)
		writes := s.Stats().Writes
		i := summary("minor", row.size)
		i.Minor = true
		s.PutIncident(i)
		if got, _ := s.Incident(i.ID); string(got.Body) != "minor" {
			t.Errorf("%s: it reads as %q before it is written", row.name, got.Body)
		}
		row.then(s)
		for s.Stats().Writes == writes { // ends with the test's deadline
			runtime.Gosched()
		}
		s.queue.close() // what waits is not written with the end
		copied := file(t)
		if err := copyFile(copied, s.Path()); err != nil {
			t.Fatal(err)
		}
		read, err := OpenReadOnly(copied)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := read.Incident(i.ID); string(got.Body) != row.want {
			t.Errorf("%s: the file has %q, want %q", row.name, got.Body, row.want)
		}
		read.Close()
	}
}

// A minor change that waits is as urgent as what could not be written before it.
func TestMinorAfterAFailure(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	s.PutIncident(summary("begun", 0))
	s.queue.take()
	i := summary("minor", 0)
	i.Minor = true
	s.PutIncident(i)
	s.queue.wrote(errors.New("no space"))
	if len(s.queue.minor) != 0 || len(s.queue.waiting) != 1 {
		t.Errorf("%d wait, %d of them for the next commit, want one, with the newest text", s.queue.len(), len(s.queue.waiting))
	}
	s.flush(t)
	if got, _ := s.Incident(i.ID); string(got.Body) != "minor" {
		t.Errorf("%q is stored, want the newest", got.Body)
	}
}

// summary is of an incident whose body is made later.
func summary(text string, size int) Incident {
	i := incidentAt("a", began, 1)
	i.Body = nil
	i.Later = &Later{Make: func() []byte { return []byte(text) }, Size: size}
	return i
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		return err
	}
	return nil
}

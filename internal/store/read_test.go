package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestQueries: what is found is the same before it is committed, after, after a restart, and in a reader's copy.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	for n := range 10 {
		at := began.Add(time.Duration(n) * time.Hour)
		i := incidentAt(fmt.Sprint("target-", n%2), at, n)
		if n == 9 {
			i.End = time.Time{}
		}
		s.PutIncident(i)
		for k := range 3 {
			r := recordAt(i.Target, at.Add(time.Duration(k)*time.Second), n)
			r.Incident, r.First = i.ID, k == 0
			s.PutRecord(r)
		}
	}
	s.PutRecord(recordAt("alone", began.Add(-time.Hour), 100))
	at := func(h float64) time.Time { return began.Add(time.Duration(h * float64(time.Hour))) }
	rows := []struct {
		name               string
		query              Query
		records, incidents string // their targets and hours
	}{
		{"limit", Query{Limit: 2}, "[1 9.00:02][1 9.00:01]", "[1 9.00 open][0 8.00]"},
		{"target", Query{Target: "target-1", Limit: 4}, "[1 9.00:02][1 9.00:01][1 9.00:00 first][1 7.00:02]",
			"[1 9.00 open][1 7.00][1 5.00][1 3.00]"},
		{"until", Query{Until: at(1)}, "[1 1.00:00 first][0 0.00:02][0 0.00:01][0 0.00:00 first][alone -1.00:00]",
			"[1 1.00][0 0.00]"},
		{"since", Query{Since: at(8.01)}, "[1 9.00:02][1 9.00:01][1 9.00:00 first]", "[1 9.00 open][0 8.00]"},
		{"between", Query{Since: at(3), Until: at(3.01), Target: "target-1"}, "[1 3.00:02][1 3.00:01][1 3.00:00 first]",
			"[1 3.00]"},
		{"incident", Query{Incident: idAt(at(2), 2)}, "[0 2.00:02][0 2.00:01][0 2.00:00 first]", "[0 2.00]"},
		{"none", Query{Target: "target-3"}, "", ""},
		{"later", Query{Since: at(10), Target: "target-0"}, "", ""},
	}
	ask := func(when string, s *Store) {
		t.Helper()
		for _, row := range rows {
			records, err := s.Records(row.query)
			incidents, err2 := s.Incidents(row.query)
			if err != nil || err2 != nil {
				t.Fatal(when, err, err2)
			}
			if diff := cmp.Diff(row.records, recordNames(t, records)); diff != "" {
				t.Errorf("%s: %s: records (-want +got):\n%s", when, row.name, diff)
			}
			if diff := cmp.Diff(row.incidents, incidentNames(t, incidents)); diff != "" {
				t.Errorf("%s: %s: incidents (-want +got):\n%s", when, row.name, diff)
			}
		}
		id := idAt(at(4), 4)
		if r, ok := s.Record(id); !ok || r.Target != "target-0" || !r.First || r.Incident != id {
			t.Errorf("%s: the record is %+v, %t", when, r, ok)
		}
		if i, ok := s.Incident(id); !ok || i.Target != "target-0" || !i.End.Equal(at(4).Add(time.Minute)) {
			t.Errorf("%s: the incident is %+v, %t", when, i, ok)
		}
		if _, ok := s.Record(idAt(at(4), 99)); ok {
			t.Errorf("%s: there is a record that was not put", when)
		}
		if _, ok := s.Incident(idAt(at(4), 99)); ok {
			t.Errorf("%s: there is an incident that was not put", when)
		}
	}
	ask("queued", s.Store)
	s.flush(t)
	ask("committed", s.Store)
	beside, err := OpenReadOnly(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	ask("beside the exporter", beside)
	beside.Close()
	s.Close()
	alone, err := OpenReadOnly(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	ask("alone", alone)
	alone.PutRecord(recordAt("dropped", began, 1))
	alone.Close()
	ask("after a restart", open(t, s.Path()).Store)
}

// recordNames and incidentNames are what was found, whose bodies are compared with what was put.
func recordNames(t *testing.T, all []Record) (names string) {
	t.Helper()
	for _, r := range all {
		n := int(r.ID[15])
		if want := recordAt(r.Target, r.At, n); string(r.Body) != string(want.Body) || r.ID != want.ID {
			t.Errorf("record %x of %s has the body %q, want %q", r.ID, r.At, r.Body, want.Body)
		}
		first := ""
		if r.First {
			first = " first"
		}
		names += fmt.Sprintf("[%s %s%s]", shortName(r.Target), hours(r.At), first)
	}
	return names
}

func incidentNames(t *testing.T, all []Incident) (names string) {
	t.Helper()
	for _, i := range all {
		open := ""
		if i.End.IsZero() {
			open = " open"
		}
		if string(i.Body) != i.Target {
			t.Errorf("incident %x has the body %q, want %q", i.ID, i.Body, i.Target)
		}
		names += fmt.Sprintf("[%s %s%s]", shortName(i.Target), hours(i.Begin)[:4], open)
	}
	return names
}

func shortName(target string) string {
	var n int
	if _, err := fmt.Sscanf(target, "target-%d", &n); err != nil {
		return target
	}
	return fmt.Sprint(n)
}

func hours(at time.Time) string {
	since := at.Sub(began)
	return fmt.Sprintf("%d.00:%02d", int(since.Hours()), int(since.Seconds())%60)
}

// What is put again replaces what was put, before a commit and after; a record may become the first one.
func TestReplaced(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	for n, commit := range []func(){func() {}, func() { s.flush(t) }, func() { s.flush(t) }} {
		r, i := recordAt("a", began, 1), incidentAt("a", began, 1)
		r.Body, i.Body, r.First = []byte(fmt.Sprint("version ", n)), []byte(fmt.Sprint("version ", n)), n == 2
		s.PutRecord(r)
		s.PutIncident(i)
		commit()
		records, err := s.Records(Query{})
		incidents, err2 := s.Incidents(Query{})
		if err != nil || err2 != nil || len(records) != 1 || len(incidents) != 1 || !cmp.Equal(records[0].Body, r.Body) ||
			!cmp.Equal(incidents[0].Body, i.Body) || records[0].First != r.First {
			t.Errorf("version %d: the store has %+v and %+v, %v, %v", n, records, incidents, err, err2)
		}
	}
	if got := s.Stats(); got.Records != 1 || got.Incidents != 1 || !got.Oldest.Equal(began) || !got.Up {
		t.Errorf("the figures are %+v, want one of each", got)
	}
}

// A nil Store takes everything and has nothing.
func TestWithoutStore(t *testing.T) {
	t.Parallel()
	var s *Store
	s.PutRecord(Record{})
	s.PutIncident(Incident{})
	_, record := s.Record(ID{})
	_, incident := s.Incident(ID{})
	records, err := s.Records(Query{})
	incidents, err2 := s.Incidents(Query{})
	if record || incident || len(records)+len(incidents) > 0 || err != nil || err2 != nil || s.Totals("a") != nil ||
		s.SaveTotals(nil) != nil || s.Flush() != nil || s.Path() != "" || s.Stats() != (Stats{}) {
		t.Error("a nil Store has something")
	}
	s.Close()
}

package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is older than the retention goes, where an incident is as old as its last write, and its first record as the
// incident.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	day := func(n int) time.Time { return began.Add(time.Duration(n) * 24 * time.Hour) }
	for n := range 4 { // an incident of each day; the one of day 0 is written again on day 3
		s.setNow(day(n))
		for _, begin := range []int{0, n} {
			i := incidentAt(fmt.Sprint("day-", begin), day(begin), begin)
			if n == 0 || n == 3 || begin == n {
				s.PutIncident(i)
			}
			first := recordAt(i.Target, i.Begin, begin)
			first.Incident, first.First = i.ID, true
			last := recordAt(i.Target, i.Begin.Add(time.Hour), begin+100)
			last.Incident = i.ID
			s.PutRecord(first)
			s.PutRecord(last)
		}
		s.flush(t)
		key := fmt.Sprint("day-", n)
		if err := s.SaveTotals(func(yield func(string, []byte) bool) { yield(key, []byte(key)) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		now  time.Time
		want string
	}{
		{day(30), "incidents day-3 day-2 day-1 day-0, first day-3 day-2 day-1 day-0, others day-3 day-2 day-1 day-0, " +
			"totals day-0 day-1 day-2 day-3"},
		{day(32), "incidents day-3 day-2 day-0, first day-3 day-2 day-0, others day-3 day-2, totals day-2 day-3"},
		{day(34), "incidents, first, others, totals"},
	} {
		s.setNow(row.now)
		s.prune()
		if diff := cmp.Diff(row.want, s.contents(t)); diff != "" {
			t.Errorf("on %s (-want +got):\n%s", row.now.Format(time.DateOnly), diff)
		}
		s.flush(t)
	}
	if got := s.Stats(); got.Records != 0 || got.Incidents != 0 || !got.Oldest.IsZero() {
		t.Errorf("the figures are %+v, want nothing", got)
	}
}

// contents are the targets of what is stored.
func (s *tested) contents(t *testing.T) string {
	t.Helper()
	all, err := s.Records(Query{})
	found, err2 := s.Incidents(Query{})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	text, first, others := "incidents", "", ""
	for _, i := range found {
		text += " " + i.Target
	}
	for _, r := range all {
		if r.First {
			first += " " + r.Target
		} else {
			others += " " + r.Target
		}
	}
	text += ", first" + first + ", others" + others + ", totals"
	for n := range 4 {
		key := fmt.Sprint("day-", n)
		if body := s.Totals(key); string(body) == key {
			text += " " + key
		}
	}
	return text
}

// The file stays within its bound, whatever is put; the other records go before the incidents and their first ones,
// and the oldest of each before the newer.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	o, s := options(t, file(t))
	o.MaxSize = 8 << 20
	s.open(t, o)
	const n = 600
	for k := range n {
		at := began.Add(time.Duration(k) * time.Minute)
		i := incidentAt(fmt.Sprint("target-", k), at, k)
		i.Body = incompressible(500, k)
		first, second := recordAt(i.Target, at, k), recordAt(i.Target, at.Add(time.Second), k)
		first.Incident, first.First, first.Body = i.ID, true, incompressible(2000, k)
		second.Incident, second.Body = i.ID, incompressible(12_000, k)
		s.setNow(at)
		s.PutIncident(i)
		s.PutRecord(first)
		s.PutRecord(second)
		if k%20 == 19 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			if got := s.Stats(); got.FileBytes > o.MaxSize || got.UsedBytes > o.MaxSize {
				t.Fatalf("after %d incidents the file has %d bytes, %d used, want at most %d", k+1, got.FileBytes,
					got.UsedBytes, o.MaxSize)
			}
		}
	}
	s.flush(t)
	got := s.Stats()
	found, err := s.Incidents(Query{WithoutBody: true})
	records, err2 := s.Records(Query{WithoutBody: true})
	if err != nil || err2 != nil || got.Dropped != 0 || got.Errors != 0 {
		t.Fatal(err, err2, got)
	}
	first := 0
	for _, r := range records {
		if r.First {
			first++
		}
	}
	others := len(records) - first
	if len(found) != n || first != n || others == 0 || others == n {
		t.Errorf("%d incidents, %d first records and %d others are left, want %d, %d, and some", len(found), first, others,
			n, n)
	}
	if newest := records[0]; newest.Target != fmt.Sprint("target-", n-1) || newest.First {
		t.Errorf("the newest record is %+v, want the last one that was put", newest)
	}
	if got.Records != uint64(len(records)) || got.Incidents != n || got.Pruned != uint64(n-others) {
		t.Errorf("the figures are %+v, want %d records, %d incidents, %d pruned", got, len(records), n, n-others)
	}
	for k := range 2400 { // until incidents have to go
		at := began.Add(time.Duration(n+k) * time.Minute)
		i := incidentAt("later", at, k)
		i.Body = incompressible(5000, k)
		s.setNow(at)
		s.PutIncident(i)
		if k%80 < 79 {
			continue
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	s.flush(t)
	found, err = s.Incidents(Query{WithoutBody: true})
	records, err2 = s.Records(Query{WithoutBody: true})
	if err != nil || err2 != nil || len(found) == 0 || found[0].ID != idAt(began.Add((n+2399)*time.Minute), 2399) ||
		len(found) >= 2400 || len(records) != 0 {
		t.Errorf("%d incidents and %d records are left, %v, %v, want the newest incidents", len(found), len(records), err,
			err2)
	}
	if got := s.Stats(); got.FileBytes > o.MaxSize || got.Errors != 0 {
		t.Errorf("the figures are %+v, want at most %d bytes", got, o.MaxSize)
	}
}

// A file that is larger than a bound that was reduced is named in one line, and what it has is reduced to the bound.
func TestReducedBound(t *testing.T) {
	t.Parallel()
	o, s := options(t, file(t))
	s.open(t, o)
	for n := range 200 {
		r := recordAt("a", began, n)
		r.Body = incompressible(10_000, n)
		s.PutRecord(r)
	}
	s.flush(t)
	s.Close()
	if strings.Contains(s.lines.String(), "larger than its bound") {
		t.Errorf("a file within its bound is too large:\n%s", s.lines)
	}
	o.MaxSize = 1 << 20
	s.open(t, o)
	if n := strings.Count(s.lines.String(), "larger than its bound"); n != 1 {
		t.Errorf("%d lines say that the file is too large, want one:\n%s", n, s.lines)
	}
	s.flush(t) // after the first look for what is too much
	if got := s.Stats(); got.UsedBytes > s.percent(fullPercent) || got.Records == 0 || got.Records >= 200 {
		t.Errorf("the figures are %+v, want the newest records, and at most %d bytes", got, s.percent(fullPercent))
	}
	if _, newest := s.Record(idAt(began, 199)); !newest {
		t.Error("the newest record is removed")
	}
}

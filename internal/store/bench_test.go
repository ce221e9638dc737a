package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/bench"
)

// bodyOf is a body as records and incidents have them: JSON, which compresses to about a fifth.
func bodyOf(n, size int) []byte {
	var b strings.Builder
	for k := 0; b.Len() < size; k++ {
		fmt.Fprintf(&b, `{"phase":"processing","reason":"tcp.reset","errno":"ECONNRESET","start":%d,"duration":%d.%d},`, n*k,
			k%7, n*7919+k)
	}
	return []byte(b.String())
}

// BenchmarkScrape stores what a scrape of 1,000 targets leaves, of which 100 fail: a summary of each open incident, a
// record of each tenth, and every twentieth time, which is every five minutes, the counters of all targets. It reports
// the CPU time, which a scrape of 1,000 targets is to be compared with. Package archive has the benchmark that makes the
// texts, too.
//
//	go test ./internal/store -run '^$' -bench .
func BenchmarkScrape(b *testing.B) {
	s := open(b, b.TempDir()+"/store.db")
	var summaries, texts, counters [1000][]byte
	for n := range summaries {
		summaries[n], texts[n], counters[n] = bodyOf(n, 2000), bodyOf(n, 12_000), bodyOf(n, 2500)
	}
	began := bench.CPU(b)
	for n := range b.N {
		at := time.Now()
		for k := range 100 {
			i := incidentAt(fmt.Sprint("target-", k), at.Add(-time.Hour), k)
			i.ID, i.End, i.Body = idAt(at.Truncate(time.Hour), k), time.Time{}, summaries[(n+k)%1000]
			i.Minor = true
			s.PutIncident(i)
			if k%10 == n%10 {
				r := recordAt(i.Target, at, k)
				r.Incident, r.Body = i.ID, texts[(n+k)%1000]
				s.PutRecord(r)
			}
		}
		if n%4 == 3 { // once a minute, what is minor with it
			s.queue.hurry()
		}
		if err := s.commit(); err != nil {
			b.Fatal(err)
		}
		if n%20 == 19 {
			if err := s.SaveTotals(func(yield func(string, []byte) bool) {
				for k := range 1000 {
					if !yield(fmt.Sprint("target-", k), counters[(n+k)%1000]) {
						return
					}
				}
			}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((bench.CPU(b)-began).Microseconds())/1000/float64(b.N), "cpu-ms/scrape")
}

// BenchmarkIncidents lists 10,000 incidents, with their bodies and without, of all targets and of one.
func BenchmarkIncidents(b *testing.B) {
	s := open(b, b.TempDir()+"/store.db")
	for n := range 10_000 {
		i := incidentAt(fmt.Sprint("target-", n%200), began.Add(time.Duration(n)*time.Minute), n)
		i.Body = bodyOf(n, 2000)
		s.PutIncident(i)
		if n%1000 == 999 {
			if err := s.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		name  string
		query Query
		want  int
	}{
		{"all", Query{}, 10_000},
		{"without bodies", Query{WithoutBody: true}, 10_000},
		{"the newest hundred", Query{Limit: 100}, 100},
		{"of a target", Query{Target: "target-7"}, 50},
		{"of a day", Query{Since: began.Add(72 * time.Hour), Until: began.Add(96 * time.Hour)}, 1442},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				if all, err := s.Incidents(row.query); len(all) != row.want || err != nil {
					b.Fatalf("%d incidents, %v, want %d", len(all), err, row.want)
				}
			}
		})
	}
}

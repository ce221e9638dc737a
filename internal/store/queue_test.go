package store

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/internal/claims"
)

// Whatever is put while the disk does not answer is taken or dropped at once, and counted: summaries of incidents have
// room when records have none any longer, and the newest one of each stays.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	s.writing.Lock() // as a commit that hangs
	const n = 2000
	for k := range n {
		r := recordAt("a", began, k)
		r.Body = []byte(strings.Repeat("x", 10_000))
		s.PutRecord(r)
	}
	for k := range n {
		i := incidentAt("a", began, k%200)
		i.Body = []byte(fmt.Sprint(k) + strings.Repeat("x", 1000))
		s.PutIncident(i)
	}
	too := recordAt("a", began, n)
	too.Body = make([]byte, maxBody+1)
	s.PutRecord(too)
	dropped := s.Stats().Dropped
	s.writing.Unlock()
	s.flush(t)
	got := s.Stats()
	if got.Dropped != dropped || got.Records+dropped != n+1 || got.Records < 100 || got.Incidents != 200 {
		t.Errorf("the figures are %+v, want %d records stored or dropped, and 200 incidents", got, n+1)
	}
	if most := 2 * uint64(s.options.MaxSize/16/10_000); got.Records > most { // some wait, others were being written
		t.Errorf("%d records of 10 kB waited, want at most %d", got.Records, most)
	}
	claims.Prove(t, "values that wait to be stored", maxQueued, maxQueued/4, maxBody)
	for k := range 200 {
		i, ok := s.Incident(idAt(began, k))
		if want := fmt.Sprint(n - 200 + k); !ok || !strings.HasPrefix(string(i.Body), want+"x") {
			t.Errorf("incident %d has the body %.10q, %t, want the last one, %s", k, i.Body, ok, want)
		}
	}
}

// While the disk does not answer, what waits to be made is bounded by the memory that it holds, and what does not fit so
// has room as bytes.
func TestQueueOfLaterIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t, file(t))
	s.writing.Lock() // as a commit that hangs
	var made atomic.Int32
	waits := 0
	const n = 1000
	for k := range n {
		r := recordAt("a", began, k)
		r.Body, r.Later = nil, &Later{Size: 20_000, Make: func() []byte { made.Add(1); return []byte("text") }}
		s.PutRecord(r)
		s.queue.mu.Lock()
		waits = max(waits, s.queue.bytes)
		s.queue.mu.Unlock()
	}
	if waits > s.queue.most {
		t.Errorf("%d bytes waited, want at most %d", waits, s.queue.most)
	}
	if made.Load() == 0 {
		t.Error("no body was made to have room")
	}
	s.writing.Unlock()
	s.flush(t)
	if got := s.Stats(); got.Records != n || got.Dropped != 0 {
		t.Errorf("the figures are %+v, want %d records", got, n)
	}
}

// What is put is committed without anybody's help, and when the store is closed.
func TestCommits(t *testing.T) {
	t.Parallel()
	o, s := options(t, file(t))
	o.Every = time.Millisecond
	s.open(t, o)
	for n := range 3 {
		s.PutRecord(recordAt("a", began, n))
		for s.Stats().Records != uint64(n+1) { // ends with the test's deadline
			runtime.Gosched()
		}
	}
	s.PutRecord(recordAt("a", began, 3))
	s.Close()
	s.PutRecord(recordAt("a", began, 4))
	if got := s.Stats(); got.Records+uint64(s.queue.len()) != 4 || got.Dropped != 1 {
		t.Errorf("the figures are %+v, want four records, and one dropped after the end", got)
	}
	s = open(t, s.Path())
	if got := s.Stats(); got.Records != 4 {
		t.Errorf("the figures are %+v, want four records", got)
	}
	if err := s.Flush(); err != nil {
		t.Errorf("flushing nothing: %v", err)
	}
	s.Close()
	if err := s.Flush(); err == nil {
		t.Error("a closed store flushes")
	}
}

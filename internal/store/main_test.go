package store

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"errno_exporter/guard"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killedEnv); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

// began is when the tests' time begins: IDs are of it.
var began = time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)

// idAt is an ID of a time, with a number that tells IDs of the same time apart.
func idAt(at time.Time, n int) ID {
	var id ID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// recordAt is a record of a target, and incidentAt an incident of a minute.
func recordAt(target string, at time.Time, n int) Record {
	return Record{ID: idAt(at, n), Target: target, At: at, Body: []byte(target + strings.Repeat("{}", n%300))}
}

func incidentAt(target string, at time.Time, n int) Incident {
	return Incident{ID: idAt(at, n), Target: target, Begin: at, End: at.Add(time.Minute), Body: []byte(target)}
}

// tested is a store under test.
type tested struct {
	*Store
	lines *lines
	mu    sync.Mutex
	time  time.Time
}

// lines are the log's.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (s *tested) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

func (s *tested) setNow(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = at
}

// options are those of a test: nothing is committed before Flush or Close.
func options(t testing.TB, path string) (Options, *tested) {
	t.Helper()
	s := &tested{lines: new(lines), time: began}
	return Options{Path: path, Retention: 30 * 24 * time.Hour, MaxSize: 64 << 20, LockWait: 100 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(s.lines, nil)), Every: time.Hour, now: s.now,
		Panicked: func(p *guard.Panic) { t.Errorf("a goroutine panicked: %v\n%s", p, p.Stack) }}, s
}

func open(t testing.TB, path string) *tested {
	t.Helper()
	o, s := options(t, path)
	return s.open(t, o)
}

func (s *tested) open(t testing.TB, o Options) *tested {
	t.Helper()
	var err error
	if s.Store, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *tested) flush(t testing.TB) {
	t.Helper()
	if err := errors.Join(s.Flush(), s.view(checkAll)); err != nil {
		t.Fatal(err)
	}
}

func file(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "store.db")
}

// incompressible is a body of so many bytes that differ.
func incompressible(size, seed int) []byte {
	body, state := make([]byte, size), uint64(seed)*2+1
	for i := range body {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX
		body[i] = byte(state >> 56)
	}
	return body
}

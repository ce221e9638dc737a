package logs

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/claims"
)

// Nobody reads the pipe: writers do not wait, what is queued is bounded, what is dropped is counted, and the end comes
// in time.
func TestUnreadPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	q := NewQueue(w)
	line := bytes.Repeat([]byte("x"), 1000)
	const lines = 10_000
	for range lines {
		if n, err := q.Write(line); n != len(line) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if q.size > maxQueued || q.Dropped() < lines-2*maxQueued/1000 || q.Dropped() >= lines {
		t.Errorf("%d bytes wait and %d of %d lines were dropped", q.size, q.Dropped(), lines)
	}
	began := time.Now()
	if q.Close(50 * time.Millisecond); time.Since(began) > 10*time.Second {
		t.Errorf("the end took %s", time.Since(began))
	}
	_, _ = r.Close(), w.Close()
	<-q.done
	claims.Prove(t, "a line of the log", maxQueued)
}

// Lines arrive whole and in their order, those before the end included.
func TestQueue(t *testing.T) {
	var out, want bytes.Buffer
	q := NewQueue(&out)
	for i := range 500 {
		fmt.Fprintf(q, "line %d\n", i)
		fmt.Fprintf(&want, "line %d\n", i)
	}
	q.Close(time.Minute)
	if out.String() != want.String() || q.Dropped() != 0 {
		t.Errorf("%d dropped, wrote %q", q.Dropped(), out.String())
	}
	if fmt.Fprint(q, "late\n"); q.Dropped() != 1 {
		t.Errorf("%d dropped after the end, want 1", q.Dropped())
	}
}

// A line is bounded as a whole and in each attribute, in both formats, and nothing in it is unprintable.
func TestLinesAreBounded(t *testing.T) {
	long := strings.Repeat("\x1b\u202eä", 2_000_000)
	for name, handler := range map[string]func(*Queue) slog.Handler{
		"text": func(q *Queue) slog.Handler { return slog.NewTextHandler(q, nil) },
		"json": func(q *Queue) slog.Handler { return slog.NewJSONHandler(q, nil) },
	} {
		for _, attr := range []slog.Attr{
			slog.String("a", long), slog.Any("a", errors.New(long)), slog.Any("a", []string{long}),
			slog.Group("g", slog.String("a", long)),
			slog.Any("a", struct{ B string }{long}),
		} {
			var out bytes.Buffer
			q := NewQueue(&out)
			slog.New(Bounded(handler(q))).With(attr).Info("m", attr)
			q.Close(time.Minute)
			if out.Len() > maxLine+20 || !strings.HasSuffix(out.String(), "\n") ||
				strings.Count(out.String(), "\n") != 1 ||
				strings.ContainsAny(out.String(), "\x1b\u202e") {
				t.Errorf("%s, %s: %d bytes: %.200q", name, attr.Value.Kind(), out.Len(), out.String())
			}
		}
	}
}

// disk has room for so many bytes.
type disk struct {
	bytes.Buffer
	room int
}

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	d.Buffer.Write(b[:n])
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// A full disk takes the beginning of a line and then nothing. When there is room again, the next line is a line.
func TestFullDisk(t *testing.T) {
	for _, row := range []struct {
		room    int
		want    string
		dropped uint64
	}{
		{14, "one\ntwo\nthree\nfour\n", 0},
		{13, "one\ntwo\nthree\nfour\n", 1},
		{10, "one\ntwo\nth\nfour\n", 1},
		{8, "one\ntwo\nfour\n", 1},
		{6, "one\ntw\nfour\n", 2},
		{0, "four\n", 3},
	} {
		d := &disk{room: row.room}
		q := &Queue{to: d}
		for _, line := range []string{"one\n", "two\n", "three\n"} {
			q.writeLine([]byte(line))
		}
		d.room = 1 << 10
		q.writeLine([]byte("four\n"))
		if d.String() != row.want || q.Dropped() != row.dropped {
			t.Errorf("room for %d bytes: %q, %d dropped, want %q, %d", row.room, d.String(), q.Dropped(), row.want,
				row.dropped)
		}
	}
}

package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mounted is a directory with a file system of its own, in memory.
func mounted(t *testing.T, options string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("mounting a file system needs CAP_SYS_ADMIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// These tests are not parallel: where another one starts a process, that has the files open for a moment, and their
// file system cannot be made read-only.

// A disk that becomes full is one line; what was committed stays, what was not waits, and is written when there is
// room, which is one line again.
func TestDiskFull(t *testing.T) {
	dir := mounted(t, "size=1m")
	s := open(t, dir)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte("x"), 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	committed, failed := 0, 0
	for n := 0; failed < 3 && n < 1000; n++ {
		r := recordAt("a", began, n)
		r.Body = incompressible(16<<10, n)
		s.PutRecord(r)
		if err := s.Flush(); err == nil {
			committed++
		} else if failed++; !isFull(err) {
			t.Fatalf("the error is %v, want that the disk is full", err)
		}
	}
	if committed == 0 || failed != 3 {
		t.Fatalf("%d records were committed, and %d commits failed, want three", committed, failed)
	}
	if got := s.Stats(); got.Up || got.Errors != 3 || got.Dropped != 0 {
		t.Errorf("the figures are %+v, want three errors", got)
	}
	logged(t, s, 1, "Writing to storage fails", "No space left on device: free some space")
	checkRecords(t, s, committed+failed)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.flush(t)
	logged(t, s, 2, "Writing to storage works again", "dropped=0")
	if got := s.Stats(); !got.Up {
		t.Errorf("the figures are %+v, want that it works again", got)
	}
	s.Close()
	checkRecords(t, open(t, dir), committed+failed)
}

func checkRecords(t *testing.T, s *tested, want int) {
	t.Helper()
	all, err := s.Records(Query{})
	if err != nil || len(all) != want {
		t.Fatalf("the store has %d records, %v, want %d", len(all), err, want)
	}
	for i, r := range all {
		if n := want - 1 - i; !bytes.Equal(r.Body, incompressible(16<<10, n)) {
			t.Errorf("record %d has another body than was put", n)
		}
	}
}

// logged compares the number of the log's lines, and the last one.
func logged(t *testing.T, s *tested, n int, parts ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(s.lines.String()), "\n")
	if len(lines) != n {
		t.Errorf("%d lines were logged, want %d: %q", len(lines), n, lines)
	}
	for _, part := range parts {
		if last := lines[len(lines)-1]; !strings.Contains(strings.ToLower(last), strings.ToLower(part)) {
			t.Errorf("the line is %q, want it to have %q", last, part)
		}
	}
}

// A disk that cannot be written to is one line, whether there is a store or not. A full one is, too.
func TestDiskRefuses(t *testing.T) {
	for _, row := range []struct {
		name, options string
		exists        bool
		want          string
	}{
		{"read-only", "ro", false, "read-only file system: make the file and its directory writable"},
		{"read-only, with a store", "ro", true, "read-only file system: make the file and its directory writable"},
		{"full", "size=4k", false, "no space left on device: free some space"},
	} {
		dir := mounted(t, strings.TrimPrefix(row.options, "ro"))
		if row.exists {
			open(t, dir).Close()
		}
		if row.options == "ro" {
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
		}
		o, _ := options(t, dir)
		s, err := Open(o)
		if err == nil {
			s.Close()
		}
		if text := fmt.Sprint(err); !strings.HasSuffix(text, row.want) || !strings.HasPrefix(text, "storage: ") ||
			strings.Contains(text, "\n") {
			t.Errorf("%s: the error is %q, want %q", row.name, text, row.want)
		}
	}
}

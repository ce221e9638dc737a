package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// filled is a store of a hundred records, which is closed.
func filled(t *testing.T) string {
	t.Helper()
	path := file(t)
	s := open(t, path)
	for n := range 100 {
		s.PutRecord(recordAt("a", began, n))
	}
	s.Close()
	return path
}

// A file that cannot be used is one line that names it and the fix, within moments, and stays as it is.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		make func(t *testing.T) (path string)
		want string // PATH is the path
	}{
		{"a second exporter", func(t *testing.T) string { return open(t, file(t)).Path() },
			`^storage: PATH is in use by another process: give each exporter a --storage\.path of its own$`},
		{"a text", func(t *testing.T) string { return written(t, bytes.Repeat([]byte("a text\n"), 5000)) },
			`^storage: PATH is not a store of errno_exporter: name another file$`},
		{"an empty file", func(t *testing.T) string { return written(t, nil) },
			`^storage: PATH is not a store of errno_exporter: name another file$`},
		{"a device", func(t *testing.T) string { return os.DevNull },
			`^storage: PATH is not a store of errno_exporter: name another file$`},
		{"a bbolt file of another program", func(t *testing.T) string {
			return bolt(t, file(t), func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err })
		}, `^storage: PATH is not a store of errno_exporter: name another file$`},
		{"a newer schema", func(t *testing.T) string {
			return bolt(t, filled(t), func(tx *bbolt.Tx) error {
				return tx.Bucket(about).Put(schemaKey, binary.BigEndian.AppendUint32(nil, schema+1))
			})
		}, `^storage: PATH is of a newer version of errno_exporter: its schema is 2, want at most 1: run that version, ` +
			`or move the file away$`},
		{"a file without a bucket", func(t *testing.T) string {
			return bolt(t, filled(t), func(tx *bbolt.Tx) error { return tx.DeleteBucket(firsts) })
		}, `^storage: PATH is damaged: it is without first_records: move it away to begin a new one$`},
		{"a file that is cut off", func(t *testing.T) string {
			path := filled(t)
			if err := os.Truncate(path, 20000); err != nil {
				t.Fatal(err)
			}
			return path
		}, `^storage: PATH is damaged: it has 20000 of \d+ bytes: move it away to begin a new one$`},
		{"both meta pages torn", func(t *testing.T) string {
			return overwritten(t, filled(t), []int64{40, int64(os.Getpagesize()) + 40}, []byte("torn"))
		}, `^storage: PATH is damaged: move it away to begin a new one$`},
		{"pages of another file", func(t *testing.T) string {
			path := filled(t)
			for at := 2 * os.Getpagesize(); at < 16*os.Getpagesize(); at += 64 {
				overwritten(t, path, []int64{int64(at)}, bytes.Repeat([]byte{0xfe}, 64))
			}
			return path
		}, `^storage: PATH is damaged \(.+\): move it away to begin a new one$`},
		{"a directory that is a file", func(t *testing.T) string { return filepath.Join(written(t, nil), "store.db") },
			`^storage: (mkdir|stat) [^ ]+: not a directory$`},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := row.make(t)
			before, _ := os.ReadFile(path) // a device and what is no directory have nothing
			o, _ := options(t, path)
			s, err := Open(o)
			if err == nil {
				s.Close()
				t.Fatal("the store is open")
			}
			want := strings.ReplaceAll(row.want, "PATH", regexp.QuoteMeta(path))
			if !regexp.MustCompile(want).MatchString(err.Error()) {
				t.Errorf("the error is %q, want %q", err, want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) { // as above
				t.Error("the file has changed")
			}
		})
	}
}

// A torn meta page leaves the commit before it.
func TestTornMeta(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	for n := range 2 {
		s.PutRecord(recordAt("a", began, n))
		s.flush(t)
	}
	s.Close()
	m, err := readMetaOf(path)
	if err != nil {
		t.Fatal(err)
	}
	overwritten(t, path, []int64{int64(m.transaction%2)*m.page + 40}, []byte("torn"))
	s = open(t, path)
	if all, err := s.Records(Query{}); len(all) != 1 || err != nil {
		t.Errorf("the store has %d records, %v, want the one of the commit before", len(all), err)
	}
}

// A new store is of mode 0600, in a directory that is made for it, or under its own name in one that is given.
func TestCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, row := range []struct{ path, want string }{
		{dir, "errno_exporter.db"},
		{filepath.Join(dir, "new") + "/", "new/errno_exporter.db"},
		{filepath.Join(dir, "deep", "er", "a.db"), "deep/er/a.db"},
	} {
		s := open(t, row.path)
		if want := filepath.Join(dir, row.want); s.Path() != want {
			t.Errorf("%s: the store is %s, want %s", row.path, s.Path(), want)
		}
		if info, err := os.Stat(s.Path()); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file has %v, %v, want mode 0600", row.path, info.Mode(), err)
		}
	}
}

func readMetaOf(path string) (meta, error) {
	f, err := os.Open(path)
	if err != nil {
		return meta{}, err
	}
	defer f.Close()
	return readMeta(f)
}

func written(t *testing.T, text []byte) string {
	t.Helper()
	path := file(t)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func bolt(t *testing.T, path string, f func(*bbolt.Tx) error) string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = db.Update(f)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func overwritten(t *testing.T, path string, at []int64, text []byte) string {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range at {
		if _, err := f.WriteAt(text, at); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// A file that somebody cuts off while it is open fails what is asked of it, now and later: no reader waits for the locks
// of one that found no file, and nor does the end of the program.
func TestCutOffWhileOpen(t *testing.T) {
	for _, first := range []string{"reads", "writes"} {
		s := open(t, t.TempDir())
		s.PutRecord(recordAt("a", began, 1))
		s.flush(t)
		if err := os.Truncate(s.path, 0); err != nil {
			t.Fatal(err)
		}
		if first == "writes" {
			s.PutRecord(recordAt("a", began, 2))
			if err := s.Flush(); err == nil {
				t.Errorf("%s: the file was written", first)
			}
		}
		for range 3 {
			if _, err := s.Records(Query{WithoutBody: true}); err == nil {
				t.Errorf("%s: the file was read", first)
			}
		}
		s.PutRecord(recordAt("a", began, 3))
		if err := s.Flush(); err == nil {
			t.Errorf("%s: the file was written later", first)
		}
		s.Close()
	}
}

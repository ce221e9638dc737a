package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"errno_exporter/guard"
)

// schema is the version of what is stored. One with a higher number is not touched.
const schema = 1

// fileName is the store's name where a directory is given.
const fileName = "errno_exporter.db"

// allocSize is by how many bytes the file grows.
const allocSize = 256 << 10

// The buckets, and the keys of the one about the store itself.
var (
	about             = []byte("errno_exporter")
	records           = []byte("records")         // by ID
	firsts            = []byte("first_records")   // by ID: the first ones of their incidents
	incidents         = []byte("incidents")       // by ID
	totals            = []byte("totals")          // by the target's key
	recordsByTarget   = []byte("records_target")  // by indexKey
	recordsByIncident = []byte("records_ofgroup") // by the incident's ID and the record's
	incidentsByTarget = []byte("incidents_target")

	schemaKey = []byte("schema")
	countsKey = []byte("counts")
)

// buckets are all of them.
func buckets() [][]byte {
	return [][]byte{about, records, firsts, incidents, totals, recordsByTarget, recordsByIncident, incidentsByTarget}
}

// prepare is the file of a path, which exists and is a store.
func prepare(path string) (string, error) {
	path = fileOf(path)
	err := check(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err != nil && check(path) == nil {
			err = nil // another process was first
		}
	}
	if err != nil {
		return "", refuse(path, err)
	}
	return path, nil
}

// fileOf is the file of a path, which may be its directory.
func fileOf(path string) string {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() || path != "" && os.IsPathSeparator(path[len(path)-1]) {
		return filepath.Join(path, fileName)
	}
	return filepath.Clean(path)
}

// check reads from a file whether it is a whole store. It opens nothing but regular files: a pipe would block.
func check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNoStore
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := readMeta(file)
	if err != nil {
		return err
	}
	if info, err = file.Stat(); err != nil { // after the meta page: the file grows before that is written
		return err
	}
	if info.Size() < m.bytes() {
		return fmt.Errorf("%w: it has %d of %d bytes", errDamaged, info.Size(), m.bytes())
	}
	return nil
}

// create creates an empty store beside the path and links it there, so that a process that is killed meanwhile leaves
// nothing half made under the store's name. Where another one is first, that one's file stays.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, filepath.Base(path)+unfinished+"*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := file.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(file.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(about).Put(schemaKey, binary.BigEndian.AppendUint32(nil, schema))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(file.Name(), path) // a file system without links
}

// unfinished is in the names of files that create has not finished.
const unfinished = ".new-"

// removeUnfinished removes files that a process was killed over. The caller has the store open: whoever creates one
// meanwhile finds this one.
func removeUnfinished(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path)) // what is left takes a few pages
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+unfinished) {
			_ = os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
}

// openFile opens a store's file and checks its schema.
func openFile(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	err = protect(func() error {
		db, err = bbolt.Open(path, 0o600, o)
		return err
	})
	if err == nil {
		err = protect(func() error { return db.View(checkSchema) })
		if err != nil {
			_ = db.Close() // the error is the one of reading
		}
	}
	if err != nil {
		return nil, refuse(path, err)
	}
	return db, nil
}

// errNewer is of a store that a later version of the exporter has written.
var errNewer = errors.New("is of a newer version of errno_exporter")

func checkSchema(tx *bbolt.Tx) error {
	b := tx.Bucket(about)
	if b == nil {
		return errNoStore
	}
	version := b.Get(schemaKey)
	if len(version) != 4 {
		return errNoStore
	}
	if v := binary.BigEndian.Uint32(version); v > schema {
		return fmt.Errorf("%w: its schema is %d, want at most %d", errNewer, v, schema)
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: it is without %s", errDamaged, name)
		}
	}
	return nil
}

// errInUse is of a file that another process has open.
type errInUse struct{}

func (errInUse) Error() string { return "is in use by another process" }

func (errInUse) Unwrap() error { return bolterrors.ErrTimeout }

// refuse is the error of a file that cannot be used, with the fix.
func refuse(path string, err error) error {
	fix := "move it away to begin a new one"
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("storage: %s %w: give each exporter a --storage.path of its own", path, errInUse{})
	case errors.Is(err, errNoStore):
		fix = "name another file"
	case errors.Is(err, errNewer):
		fix = "run that version, or move the file away"
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		fix = "make the file and its directory writable"
	case isFull(err):
		fix = "free some space"
	case errors.Is(err, errBusy):
		fix = "try again"
	case errors.Is(err, errDamaged):
	default:
		if p, is := errors.AsType[*guard.Panic](err); is {
			return fmt.Errorf("storage: %s is damaged (%v): %s", path, p.Value, fix)
		}
		fix = ""
	}
	if fix != "" {
		fix = ": " + fix
	}
	if path, is := errors.AsType[*fs.PathError](err); is {
		return fmt.Errorf("storage: %w%s", path, fix)
	}
	return fmt.Errorf("storage: %s %w%s", path, err, fix)
}

// protect calls a function that reads the mapped file. Where the file is damaged, bbolt panics or reads memory that is
// not there, which ends the process unless the goroutine wants a panic (package runtime/debug): both become an error.
func protect(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard.Catch(&err)
	return f()
}

// view runs a transaction that reads.
func (s *Store) view(f func(tx *bbolt.Tx) error) error { return s.transact(s.db.View, f) }

// transact runs a transaction by bbolt's View or Update. A panic before it has begun, such as that of a file which
// somebody has cut off meanwhile, leaves bbolt's locks held: nothing is asked of it any more, for it would not answer.
func (s *Store) transact(run func(func(*bbolt.Tx) error) error, f func(tx *bbolt.Tx) error) error {
	if s.stuck.Load() {
		return errDamaged
	}
	begun := false
	err := protect(func() error {
		return run(func(tx *bbolt.Tx) error {
			begun = true
			return f(tx)
		})
	})
	if _, is := errors.AsType[*guard.Panic](err); is && !begun {
		s.stuck.Store(true)
	}
	return err
}

// unbounded is no limit of the file's size.
const unbounded = 0

// update runs a transaction that writes, with a limit of the file's size in bytes. A file that has proven damaged is
// not written to.
func (s *Store) update(limit int64, f func(tx *bbolt.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.damaged.Load() {
		return errDamaged
	}
	s.db.MaxSize = int(min(limit, math.MaxInt))
	began := time.Now()
	err := s.transact(s.db.Update, f)
	if errors.Is(err, errNothing) {
		return nil
	}
	if p, is := errors.AsType[*guard.Panic](err); is {
		s.damaged.Store(true)
		err = fmt.Errorf("%w: %v", errDamaged, p.Value)
	}
	s.counted.wrote(err, time.Since(began))
	return err
}

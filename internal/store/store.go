// Package store keeps records, incidents and counters in a file, so that they outlive the exporter. Values are opaque:
// the store knows the few columns that its queries need.
//
// Read store.go first: what is stored, and how a Store is opened and closed. queue.go takes what is put without
// delaying whoever puts it, value.go makes its bytes, write.go commits them, prune.go makes room, read.go answers
// queries, totals.go keeps counters, open.go says why a file cannot be used, snapshot.go reads a file beside the
// exporter that writes it.
package store

import (
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"errno_exporter/guard"
)

// ID identifies a record or an incident: a ULID (https://github.com/ulid/spec), whose first six bytes are its time in
// milliseconds, so that IDs sort by time.
type ID [16]byte

// millis is the ID's time, in milliseconds since 1970.
func (id ID) millis() int64 { return int64(binary.BigEndian.Uint64(id[:8]) >> 16) }

// Record is the account of one probe.
type Record struct {
	ID       ID // of about At
	Incident ID // that it belongs to; zero for none
	Target   string
	At       time.Time
	First    bool // of its incident: it is stored for as long as the incident
	Body     []byte
	Later    *Later // makes Body when it is written or read, where that is not worth doing before; nil for Body
}

// Later is a body that is made when it is wanted, perhaps more than once, and not by whoever puts it.
type Later struct {
	Make func() []byte // may be called by any goroutine
	Size int           // about how many bytes of memory it holds
}

// Incident is the summary of an incident.
type Incident struct {
	ID     ID // of about Begin
	Target string
	Begin  time.Time
	End    time.Time // zero while it lasts
	Body   []byte
	Later  *Later // as a Record's
	Minor  bool   // what differs from the one that was put last may be lost: it is written within minorInterval
}

// Options are what a Store is opened with.
type Options struct {
	Path      string        // of the file, or of its directory
	Retention time.Duration // of what is stored
	MaxSize   int64         // of the file, in bytes
	Logger    *slog.Logger  // of what fails, one line when it begins to and one when it works again
	Panicked  guard.Report  // of the goroutine that writes
	LockWait  time.Duration // for another process that has the file open; 0 for 5 s

	Every time.Duration // between commits; 0 for a second

	minor time.Duration    // as long as a minor change waits; 0 for minorInterval
	now   func() time.Time // nil for time.Now
}

// The defaults of Options.
const (
	defaultLockWait = 5 * time.Second
	commitInterval  = time.Second
	minorInterval   = time.Minute // for which counts of incidents may be lost by a SIGKILL
)

// closeTimeout is how long Close waits for what is queued: a disk may hang.
const closeTimeout = 5 * time.Second

// Store is an open file. It may be used by many goroutines. A nil Store takes everything and has nothing.
type Store struct {
	options Options
	path    string
	db      *bbolt.DB
	codec   *codec
	queue   queue
	flushes chan chan error
	closing chan struct{}
	done    chan struct{} // closed when the goroutine has ended
	once    sync.Once     // of Close

	readOnly func() // closes a file that is only read; else nil

	writing sync.Mutex // serialises transactions that write
	damaged atomic.Bool
	stuck   atomic.Bool // a transaction could not begin, and bbolt's locks are held
	broken  atomic.Bool // the last write failed, which is logged
	counted counted
}

// Open opens the store's file, and creates it if there is none. An error is one line that names the file and the fix.
func Open(o Options) (*Store, error) {
	if o.LockWait == 0 {
		o.LockWait = defaultLockWait
	}
	if o.Every == 0 {
		o.Every = commitInterval
	}
	if o.minor == 0 {
		o.minor = minorInterval
	}
	if o.now == nil {
		o.now = time.Now
	}
	path, err := prepare(o.Path)
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, &bbolt.Options{Timeout: o.LockWait, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	db.AllocSize = allocSize
	removeUnfinished(path)
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, path: path, db: db, codec: codec, flushes: make(chan chan error), closing: make(chan struct{}),
		done: make(chan struct{})}
	s.queue.init(o.MaxSize)
	if err := s.measure(); err != nil {
		_ = db.Close() // the error is the one of reading
		return nil, refuse(path, err)
	}
	if size := s.Stats().FileBytes; size > o.MaxSize {
		o.Logger.Warn("Storage is larger than its bound: the oldest are removed, but the file does not shrink; stop the "+
			"exporter and compact it with bbolt compact, or remove it", "path", path, "bytes", size, "bound", o.MaxSize)
	}
	report := o.Panicked
	if report == nil {
		report = func(*guard.Panic) {}
	}
	report.Go(s.run)
	return s, nil
}

// Path is the store's file; empty for a nil Store.
func (s *Store) Path() string {
	if s == nil {
		return ""
	}
	return s.path
}

// Close commits what is queued, which takes at most five seconds, and closes the file. What is put from then on is
// dropped.
func (s *Store) Close() {
	if s == nil {
		return
	}
	s.once.Do(func() {
		close(s.closing)
		if s.readOnly != nil {
			s.readOnly()
		}
	})
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
		s.options.Logger.Error("Storage is closed with records that are not written: the disk does not answer",
			"path", s.path, "unwritten", s.queue.len())
	}
}

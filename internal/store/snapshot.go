package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// readWait is how long a reader waits for the exporter that has the file open, before it reads beside it.
const readWait = 200 * time.Millisecond

// OpenReadOnly opens a store to read it: a copy, or the file of an exporter that is running, whose last commit is
// copied to a temporary file. What is put is dropped.
func OpenReadOnly(path string) (*Store, error) {
	path = fileOf(path)
	if err := check(path); err != nil {
		return nil, refuse(path, err)
	}
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, codec: codec, done: make(chan struct{}), closing: make(chan struct{}),
		options: Options{Logger: slog.New(slog.DiscardHandler)}}
	s.queue.init(0)
	s.queue.close()
	close(s.done)
	s.readOnly = func() { _ = s.db.Close() } // nothing was written
	if s.db, err = openFile(path, &bbolt.Options{ReadOnly: true, Timeout: readWait}); err == nil {
		return s, s.measure()
	}
	if !errors.Is(err, bolterrors.ErrTimeout) {
		return nil, err
	}
	copied, err := snapshot(path)
	if err != nil {
		return nil, refuse(path, err)
	}
	s.readOnly = func() {
		_ = s.db.Close() // as above
		_ = os.Remove(copied)
	}
	if s.db, err = openFile(copied, &bbolt.Options{ReadOnly: true, Timeout: readWait}); err != nil {
		_ = os.Remove(copied)
		return nil, err
	}
	return s, s.measure()
}

// snapshotTries is how often a file is copied until the exporter does not commit meanwhile.
const snapshotTries = 10

// snapshot copies the last commit of a file that is being written. The pages of a commit stay as they are until the
// second one after it (bbolt uses a page again one commit after it was freed): the copy is whole if there was none
// while it was made.
func snapshot(path string) (copied string, err error) {
	from, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.CreateTemp("", "errno_exporter-*.db") // of mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, to.Close()); err != nil {
			_ = os.Remove(to.Name())
		}
	}()
	for range snapshotTries {
		before, err := readMeta(from)
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, 0), io.NewSectionReader(from, 0, before.bytes())); err != nil {
			return "", err
		}
		after, err := readMeta(from)
		if err != nil {
			return "", err
		}
		if after.transaction == before.transaction {
			return to.Name(), nil
		}
	}
	return "", fmt.Errorf("%w: it was written to during each of %d copies", errBusy, snapshotTries)
}

var errBusy = errors.New("is being written to")

// Package logs writes the log so that nothing waits for whoever reads it: lines are bounded, and those that are not
// taken are dropped and counted.
package logs

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/internal/escape"
)

const (
	maxQueued = 1 << 20  // bytes that wait to be written
	maxLine   = 16 << 10 // bytes of a line
)

// Queue is a log's output. Write never blocks: a goroutine of its own writes the lines in their order.
type Queue struct {
	to      io.Writer
	dropped atomic.Uint64
	done    chan struct{} // closed when the last line has been written
	torn    bool          // only the beginning of the last line was written; write's alone

	mu     sync.Mutex // guards what follows
	more   sync.Cond  // signalled when there is a line, or an end
	lines  [][]byte
	size   int // bytes that wait
	closed bool
}

// NewQueue returns a Queue that writes to a file or a pipe.
func NewQueue(to io.Writer) *Queue {
	q := &Queue{to: to, done: make(chan struct{})}
	q.more.L = &q.mu
	guard.Report(func(*guard.Panic) { q.dropped.Add(1) }).Go(q.write)
	return q
}

// Write takes one line. A line that is too long is cut, and one for which there is no room is dropped.
func (q *Queue) Write(line []byte) (int, error) {
	kept := append([]byte(nil), cut(escape.Line(line))...)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.size+len(kept) > maxQueued {
		q.dropped.Add(1)
		return len(line), nil
	}
	q.lines, q.size = append(q.lines, kept), q.size+len(kept)
	q.more.Signal()
	return len(line), nil
}

// cut bounds a line. What is escaped is ASCII or valid UTF-8, so that it ends between characters.
func cut(line []byte) []byte {
	if len(line) <= maxLine {
		return line
	}
	end := maxLine
	for end > 0 && line[end]&0xc0 == 0x80 {
		end--
	}
	return append(line[:end:end], "… (cut)\n"...)
}

// Dropped is how many lines were dropped.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// write writes what waits, until the end.
func (q *Queue) write() {
	defer close(q.done)
	for {
		line, ok := q.next()
		if !ok {
			return
		}
		q.writeLine(line)
		q.mu.Lock()
		q.size -= len(line)
		q.mu.Unlock()
	}
}

// writeLine writes a line. Of one that does not fit onto a full disk the beginning is written (write(2)): the next one
// that fits begins a line of its own.
func (q *Queue) writeLine(line []byte) {
	if q.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := q.to.Write(line)
	q.torn = err != nil && (q.torn || n > 0)
	if err != nil {
		q.dropped.Add(1)
	}
}

// next waits for a line; false when there will be none.
func (q *Queue) next() ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) == 0 {
		if q.closed {
			return nil, false
		}
		q.more.Wait()
	}
	line := q.lines[0]
	q.lines[0] = nil
	q.lines = q.lines[1:]
	return line, true
}

// Close takes no more lines, and waits for those that are queued to be written, but no longer than patience: whoever
// reads the log may have stopped to.
func (q *Queue) Close(patience time.Duration) {
	q.mu.Lock()
	q.closed = true
	q.more.Broadcast()
	q.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
}

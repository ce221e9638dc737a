package socket

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// When a segment arrived at the earliest.
//
// The kernel joins a segment to the one before it that waits to be read, and then reports the later one's time
// (tcp_try_coalesce, net/ipv4/tcp_input.c): of a response that is read late, the time may be that of the server's
// close. So it is noted until when nothing had arrived. That is known from a read that found nothing; and while other
// probes run, some goroutine of theirs runs often, whoever else waits for a CPU: it looks which sockets have something
// to read, of all of them at once (epoll(7)). What one of them reads later arrived after the last look that found
// nothing.

// lookEvery is the least time between two looks. One takes about a microsecond.
const lookEvery = 500 * time.Microsecond

// Lookout looks now and then which sockets have something to read.
type Lookout struct {
	file   *os.File  // the epoll instance; nil where there is none
	start  time.Time // times are since then
	looked atomic.Int64

	mu      sync.Mutex // guards what follows
	last    time.Duration
	waiting map[int32]*waiting
	number  int32
	events  [64]unix.EpollEvent
}

// waiting is a socket from which something is to be read. The Lookout's mu guards it.
type waiting struct {
	number   int32
	added    time.Duration // looks that begin after that find what arrives
	empty    time.Duration // there was nothing to read
	arrived  bool          // a look found something since, and empty is when the one before it began
	reported time.Duration // the last look that found something ended
}

// NewLookout returns a Lookout; it sees nothing where the kernel has no epoll instance for it.
func NewLookout() *Lookout {
	l := &Lookout{start: time.Now(), waiting: map[int32]*waiting{}}
	if fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC); err == nil {
		l.file = os.NewFile(uintptr(fd), "lookout")
	}
	return l
}

// Look looks, unless that was done a moment ago, or is being done.
func (l *Lookout) Look() {
	if l == nil || l.file == nil || time.Since(l.start)-time.Duration(l.looked.Load()) < lookEvery || !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return
	}
	began := time.Since(l.start)
	for n := len(l.events); n == len(l.events); {
		var err error
		if n, err = unix.EpollWait(int(l.file.Fd()), l.events[:], 0); err != nil {
			return
		}
		for _, e := range l.events[:n] {
			if w := l.waiting[e.Fd]; w != nil && e.Events&unix.EPOLLIN != 0 {
				w.empty, w.arrived, w.reported = l.emptyBy(w), true, time.Since(l.start)
			}
		}
	}
	l.last = began
	l.looked.Store(int64(time.Since(l.start)))
}

// emptyBy is until when a socket is known to have had nothing to read. The caller holds mu.
func (l *Lookout) emptyBy(w *waiting) time.Duration {
	if w.arrived || l.last < w.added {
		return w.empty
	}
	return max(l.last, w.empty)
}

// add has looks find what arrives from a socket, from which nothing had at a time.
func (l *Lookout) add(fd int, w *waiting, empty time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.empty, w.added = empty.Sub(l.start), never
	if l.file == nil {
		return
	}
	l.number++
	w.number = l.number
	// one report of each arrival; timestamps of what was sent are reported, too, as errors
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: w.number}
	if unix.EpollCtl(int(l.file.Fd()), unix.EPOLL_CTL_ADD, fd, &event) == nil {
		w.added = time.Since(l.start)
		l.waiting[w.number] = w
	}
}

// never is after all looks.
const never = time.Duration(math.MaxInt64)

// emptySince is until when there was nothing to read.
func (l *Lookout) emptySince(w *waiting) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start.Add(l.emptyBy(w))
}

// drained notes that a read which began at a time left nothing.
func (l *Lookout) drained(w *waiting, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.empty = began.Sub(l.start)
	w.arrived = w.reported > w.empty // it may be of what arrived after the read
}

// forget forgets a socket that is about to be closed, with which the kernel does.
func (l *Lookout) forget(w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, w.number)
}

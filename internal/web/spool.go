package web

import (
	"container/list"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"errno_exporter/internal/metrics"
)

// How answers that nobody takes are kept from filling memory. An answer of a thousand targets is 5 MB, and what it is
// made from as much again.
//
//   - An answer is written into memory first, compressed where the client accepts that, and then sent: what it was made
//     from is let go of.
//   - As many large answers are made at a time as there are CPUs: more would not be ready any sooner.
//   - Answers that wait to be taken have a budget of bytes. Where a new one exceeds it, the connection that has waited
//     longest is cut off: it is the one that is least likely to be read, and a Prometheus that reads its answer is
//     never refused for the sake of one that does not.

const (
	maxSpooled  = 32 << 20 // bytes of answers that wait to be taken, of all connections
	spooledBase = 16 << 10 // what an answer's connection takes besides
	spoolPiece  = 64 << 10
)

// spools are the answers that wait to be taken.
type spools struct {
	most   int           // bytes
	making chan struct{} // has room for as many large answers as are made at a time
	pieces sync.Pool     // *[]byte of spoolPiece bytes

	samples sync.Pool // *metrics.Exposition: a scrape's are as large as its answer

	mu      sync.Mutex // guards what follows
	bytes   int
	waiting *list.List // of *spool, the one that has waited longest first
}

func newSpools(most int) *spools {
	return &spools{
		most: most, making: make(chan struct{}, runtime.GOMAXPROCS(0)), waiting: list.New(),
		pieces:  sync.Pool{New: func() any { b := make([]byte, 0, spoolPiece); return &b }},
		samples: sync.Pool{New: func() any { return metrics.NewExposition() }},
	}
}

// spool is an answer in memory. It is the ResponseWriter of the handler that makes it.
type spool struct {
	http.ResponseWriter
	from   *spools
	status int
	pieces []*[]byte
	length int
}

// WriteHeader keeps the status for when the answer is sent.
func (s *spool) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
}

// Write keeps a part of the answer.
func (s *spool) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	for rest := p; len(rest) > 0; {
		last := len(s.pieces) - 1
		if last < 0 || len(*s.pieces[last]) == spoolPiece {
			s.pieces = append(s.pieces, s.from.pieces.Get().(*[]byte))
			last++
		}
		piece := s.pieces[last]
		n := min(len(rest), spoolPiece-len(*piece))
		*piece, rest = append(*piece, rest[:n]...), rest[n:]
	}
	s.length += len(p)
	return len(p), nil
}

// Unwrap lets http.ResponseController set the connection's deadlines.
func (s *spool) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// buffered makes a handler's answers wait in memory until they are taken.
func (a *spools) buffered(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := &spool{ResponseWriter: w, from: a}
		defer s.release()
		next(s, r)
		if s.status == 0 {
			return // the client has disconnected
		}
		waiting := a.admit(s)
		defer a.leave(waiting)
		s.send()
	}
}

// cost is what a waiting answer takes.
func (s *spool) cost() int { return len(s.pieces)*spoolPiece + spooledBase }

// admit takes an answer's bytes, and cuts off those that have waited longest where they are too many.
func (a *spools) admit(s *spool) *list.Element {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes += s.cost()
	over := a.bytes - a.most
	for e := a.waiting.Front(); e != nil && over > 0; e = e.Next() {
		stuck := e.Value.(*spool)
		over -= stuck.cost()
		// fails only on a connection that has ended
		_ = http.NewResponseController(stuck.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
	}
	return a.waiting.PushBack(s)
}

func (a *spools) leave(e *list.Element) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes -= e.Value.(*spool).cost()
	a.waiting.Remove(e)
}

// send writes the answer to the connection.
func (s *spool) send() {
	if s.Header().Get("Content-Length") == "" && s.status != http.StatusNoContent &&
		s.status != http.StatusNotModified {
		s.Header().Set("Content-Length", strconv.Itoa(s.length))
	}
	s.ResponseWriter.WriteHeader(s.status)
	for _, piece := range s.pieces {
		if _, err := s.ResponseWriter.Write(*piece); err != nil {
			return // the client has disconnected
		}
	}
}

// release gives the pieces back.
func (s *spool) release() {
	for _, piece := range s.pieces {
		*piece = (*piece)[:0]
		s.from.pieces.Put(piece)
	}
	s.pieces = nil
}

package prober

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"regexp/syntax"
	"time"
	"unicode/utf8"

	"errno_exporter/prober/result"
)

// How expressions are compared with bodies. Up to freeRoom bytes the body is in memory. A longer one streams through
// the expressions and is not kept, so that it may have any length: each expression runs on a coroutine that asks for
// runes and is resumed with the next piece. An expression that begins with a literal text is not run before that text
// has come, and one that is a literal text is only searched for. The probe's deadline ends all of them.

// errNotMatched is the error of a body that was not compared with the expressions in time.
var errNotMatched = errors.New("comparing it with the expressions took more time than receiving it")

// matching is a long body on its way through the module's expressions.
type matching struct {
	ctx     context.Context
	streams []*stream
	began   time.Time
	took    time.Duration // in all
	short   bool          // a piece was not compared, for lack of time
}

// newMatching begins to compare a body with the expressions.
func newMatching(ctx context.Context, lists ...[]*regexp.Regexp) *matching {
	m := &matching{ctx: ctx, began: time.Now()}
	for _, list := range lists {
		for _, re := range list {
			m.streams = append(m.streams, newStream(ctx, re))
		}
	}
	return m
}

// feed compares the next piece of the body. A slot is taken for the time: long bodies never take every CPU.
func (m *matching) feed(p []byte, slots chan struct{}) {
	began := time.Now()
	defer func() { m.took += time.Since(began) }()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-m.ctx.Done():
		m.short = true
		return
	}
	for _, s := range m.streams {
		s.feed(p)
		m.short = m.short || s.short()
	}
}

// end ends the body, or gives it up, and every coroutine. The error says that the body was not compared as a whole.
func (m *matching) end() error {
	began := time.Now()
	for _, s := range m.streams {
		s.end()
		m.short = m.short || s.short()
	}
	m.took += time.Since(began)
	if m.short {
		return errNotMatched
	}
	return nil
}

// late returns an error if the deadline has come, and comparing the body is what took the time.
func (m *matching) late() error {
	if m.short && m.tookMost(time.Now()) {
		return errNotMatched
	}
	return nil
}

// tookMost reports whether comparing the body took more of the time until now than receiving it.
func (m *matching) tookMost(now time.Time) bool { return 2*m.took > now.Sub(m.began) }

// matched reports whether the body has matched an expression.
func (m *matching) matched(re *regexp.Regexp) bool {
	for _, s := range m.streams {
		if s.re == re {
			return s.found
		}
	}
	return false
}

// stream is one expression.
type stream struct {
	re      *regexp.Regexp
	literal []byte // what a match begins with; empty: anything
	whole   bool   // the literal is the expression
	tail    []byte // the end of what has been searched for the literal
	runes   *runes // nil until the expression runs
	resume  func() (struct{}, bool)
	stop    func()
	found   bool
	ctx     context.Context
}

func newStream(ctx context.Context, re *regexp.Regexp) *stream {
	s := &stream{re: re, ctx: ctx}
	// An anchored expression has a literal, too, which is not where a match begins: LiteralPrefix does not tell.
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return s
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return s
	}
	text, whole := program.Prefix()
	s.literal, s.whole = []byte(text), whole
	return s
}

// feed gives the expression more of the body.
func (s *stream) feed(p []byte) {
	if s.found || len(p) == 0 || s.runes != nil && s.runes.over {
		return
	}
	if s.runes == nil && len(s.literal) > 0 {
		if p = s.search(p); p == nil || s.found {
			return
		}
	}
	if s.runes == nil {
		s.run()
	}
	s.runes.piece = p
	if len(s.runes.rest) > 0 {
		s.runes.piece = append(s.runes.rest, p...)
	}
	s.advance()
}

// search looks for the literal, also across pieces. It returns what begins with it, nil without one.
func (s *stream) search(p []byte) []byte {
	if n := len(s.literal) - 1; len(s.tail) > 0 && n > 0 {
		seam := append(s.tail, p[:min(n, len(p))]...)
		if at := bytes.Index(seam, s.literal); at >= 0 {
			s.found = s.whole
			return append(bytes.Clone(seam[at:len(s.tail)]), p...)
		}
	}
	if at := bytes.Index(p, s.literal); at >= 0 {
		s.found = s.whole
		return p[at:]
	}
	s.tail = append(s.tail, p...)
	s.tail = append([]byte(nil), s.tail[max(0, len(s.tail)-len(s.literal)+1):]...)
	return nil
}

// run starts the expression; it waits for the first piece.
func (s *stream) run() {
	s.runes = &runes{ctx: s.ctx}
	s.resume, s.stop = iter.Pull(func(yield func(struct{}) bool) {
		s.runes.more = func() bool { return yield(struct{}{}) }
		s.found = s.re.MatchReader(s.runes)
	})
}

// advance runs the expression until it wants the next piece or has ended.
func (s *stream) advance() {
	if _, waits := s.resume(); !waits && !s.found {
		s.runes.over = true
	}
}

// end lets the expression meet the body's end.
func (s *stream) end() {
	if s.runes == nil {
		if len(s.literal) > 0 {
			return
		}
		s.run()
	}
	s.runes.ended, s.runes.piece = true, s.runes.rest
	if !s.found && !s.runes.over {
		s.resume()
	}
	s.stop()
}

// short reports whether the deadline ended the expression.
func (s *stream) short() bool { return s.runes != nil && s.runes.short }

// runes is a body as an expression reads it.
type runes struct {
	ctx   context.Context
	piece []byte // what has not been read
	rest  []byte // of the last piece: the beginning of a rune
	more  func() bool
	read  int  // runes, to look at the deadline now and then
	ended bool // nothing comes any more
	over  bool // the expression does not read any more
	short bool // because the deadline came
}

// runesBetweenLooks is how many runes are read between two looks at the deadline: an expression may be large, and takes
// its size in steps for each of them.
const runesBetweenLooks = 256

// ReadRune reads as bufio.Reader does: a byte that is no UTF-8 is utf8.RuneError of size 1.
func (r *runes) ReadRune() (rune, int, error) {
	if r.read++; r.read%runesBetweenLooks == 0 && r.ctx.Err() != nil {
		r.short = true
		return 0, 0, r.ctx.Err()
	}
	for !r.ended && !utf8.FullRune(r.piece) {
		r.rest = bytes.Clone(r.piece)
		if !r.more() {
			return 0, 0, io.EOF
		}
	}
	if len(r.piece) == 0 {
		return 0, 0, io.EOF
	}
	if c := r.piece[0]; c < utf8.RuneSelf {
		r.piece = r.piece[1:]
		return rune(c), 1, nil
	}
	c, n := utf8.DecodeRune(r.piece)
	r.piece = r.piece[n:]
	return c, n, nil
}

// matchesBody reports whether the body matches: as it was compared when it streamed, else as it is in memory.
func (h *hop) matchesBody(re *regexp.Regexp, body []byte) bool {
	if h.matching != nil {
		return h.matching.matched(re)
	}
	return re.Match(body)
}

// failMatching is the failure of a body that was given up because comparing it took the probe's time.
func (h *hop) failMatching(began time.Duration, err error) {
	at := h.attempt.elapsed()
	h.done(result.Transfer, began, at)
	f := notChecked(h.attempt.ctx, result.CheckBody, fmt.Errorf("%w: %s", err,
		h.matching.took.Round(time.Millisecond)))
	h.fail(result.Validate, at, *f)
}

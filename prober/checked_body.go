package prober

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// checkedBody is a body that the module's rules need: all of it for CEL, the first freeRoom bytes for expressions.
// What is longer streams through them.
type checkedBody struct {
	bytes.Buffer
	hop *hop
}

// add takes more of the body.
func (k *checkedBody) add(p []byte) error {
	if k == nil {
		return nil
	}
	if err := k.match(p); err != nil {
		return err
	}
	if !k.hop.needsWholeBody() {
		if k.hop.matching == nil {
			k.Write(p)
		}
		return nil
	}
	for _, step := range []int{freeRoom, growAtOnce} {
		if k.Len() <= step && k.Len()+len(p) > step {
			if err := k.grow(step); err != nil {
				return err
			}
		}
	}
	k.Write(p)
	return nil
}

// match compares a long body with the expressions.
func (k *checkedBody) match(p []byte) error {
	h := k.hop
	m, slots := h.attempt.module, h.attempt.prober.matching
	if !m.MatchesBody() {
		return nil
	}
	if h.matching == nil {
		if k.Len()+len(p) <= freeRoom {
			return nil
		}
		h.matching = newMatching(h.attempt.ctx, m.FailIfBodyMatches, m.FailIfBodyNotMatches)
		h.matching.feed(k.Bytes(), slots)
	}
	h.matching.feed(p, slots)
	return h.matching.late()
}

// failed returns why the body was not received: what reading it returned, or the expressions that left no time for it.
// The deadline may come between two pieces, when only the reader meets it.
func (k *checkedBody) failed(err error) error {
	if k == nil || k.hop.matching == nil || !errors.Is(err, os.ErrDeadlineExceeded) && k.hop.attempt.ctx.Err() == nil {
		return err
	}
	if k.hop.matching.tookMost(time.Now()) {
		return errNotMatched
	}
	return err
}

// end is called at the body's end.
func (k *checkedBody) end() error {
	if k.hop.matching == nil {
		return nil
	}
	return k.hop.matching.end()
}

// stop ends what compares the body, also where the body has none.
func (k *checkedBody) stop() {
	if k.hop.matching != nil {
		_ = k.hop.matching.end() // it is known by now
	}
}

// grow gets room for a body that exceeds a step, and memory for what it is known to need.
func (k *checkedBody) grow(step int) error {
	a, most := k.hop.attempt, k.hop.bodyRoom()
	if step == growAtOnce {
		return a.enter(a.prober.huge, most, &a.rooms.huge)
	}
	if err := a.forBody(min(most, growAtOnce)); err != nil {
		return err
	}
	k.Grow(int(min(most, growAtOnce)) - k.Len())
	return nil
}

// growAtOnce is how large a body's memory is made when it exceeds freeRoom. From there on it doubles.
const growAtOnce = 1 << 20

// bodyRoom is what the response's body may come to take: twice its size where its memory doubles.
func (h *hop) bodyRoom() int64 {
	m, announced := h.attempt.module, h.response.ContentLength
	if !h.needsWholeBody() {
		return 0
	}
	most := m.BodySizeLimit
	if m.Compression == "" && announced >= 0 && (most == 0 || announced < most) {
		most = announced
	}
	switch {
	case most == 0:
		return roomBodies
	case most > growAtOnce:
		return 2 * most
	}
	return most
}

// needsWholeBody reports whether all of the body is needed in memory.
func (h *hop) needsWholeBody() bool { return h.attempt.module.HasCEL() || h.attempt.take != nil }

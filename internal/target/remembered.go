package target

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"errno_exporter/internal/target/state"
)

// Key is what totals are kept by: a hash, so that its size does not depend on who chose the URL. Whoever finds
// two inputs of the same SHA-256 mixes two targets' counters; nobody has.
type Key [sha256.Size]byte

// Identity identifies a remembered target.
type Identity struct{ Name, Module, Target, Host string }

// Key hashes the parts with their lengths, so that no two lists of parts make the same input.
func (p Identity) Key() Key {
	h := sha256.New()
	for _, part := range []string{p.Name, p.Module, p.Target, p.Host} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return Key(h.Sum(nil))
}

// usualTotals is about how many bytes the totals of a target take after its first probes. The targets that are
// remembered have so much together; those that are probed often and fail in many ways take several times as much, and
// leave room for fewer.
const usualTotals = 3355

// Remembered keeps the totals of targets that are not configured. When it is full, the one that was unused for longest
// goes.
type Remembered struct {
	limit int // targets
	most  int // bytes

	mu     sync.Mutex // guards what follows
	bytes  int        // that the totals take, as far as is known
	recent *list.List // of *rememberedTarget, the last used first
	byKey  map[Key]*list.Element
}

type rememberedTarget struct {
	key    Key
	totals *state.Totals
	bytes  int
}

// NewRemembered returns one for so many targets.
func NewRemembered(limit int) *Remembered {
	return &Remembered{limit: limit, most: limit * usualTotals, recent: list.New(), byKey: map[Key]*list.Element{}}
}

// Totals returns the totals of a key, fresh ones if there are none.
func (m *Remembered) Totals(key Key) *state.Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		e = m.recent.PushFront(&rememberedTarget{key: key, totals: state.NewTotals()})
		m.byKey[key] = e
	}
	m.recent.MoveToFront(e)
	r := e.Value.(*rememberedTarget)
	m.charge(r)
	for m.recent.Len() > max(1, m.limit) || m.bytes > m.most && m.recent.Len() > 1 {
		m.forget(m.recent.Back())
	}
	return r.totals
}

// charge counts what a target takes now: at least what its next probe will make of it.
func (m *Remembered) charge(r *rememberedTarget) {
	before := r.bytes
	r.bytes = max(usualTotals, r.totals.Size())
	m.bytes += r.bytes - before
}

func (m *Remembered) forget(e *list.Element) {
	r := e.Value.(*rememberedTarget)
	delete(m.byKey, r.key)
	m.recent.Remove(e)
	m.bytes -= r.bytes
}

// Len is how many targets are remembered.
func (m *Remembered) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recent.Len()
}

// Size is about how many bytes of memory the totals take.
func (m *Remembered) Size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

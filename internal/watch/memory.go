package watch

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"errno_exporter/internal/target/state"
)

// memoryKey is what totals are kept by: a hash, so that its size does not depend on who chose the URL. Whoever finds
// two inputs of the same SHA-256 mixes two targets' counters; nobody has.
type memoryKey [sha256.Size]byte

// probed is what tells one remembered target from another.
type probed struct{ name, module, target, host string }

// key hashes the parts with their lengths, so that no two lists of parts make the same input.
func (p probed) key() memoryKey {
	h := sha256.New()
	for _, part := range []string{p.name, p.module, p.target, p.host} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return memoryKey(h.Sum(nil))
}

// usualTotals is about how many bytes the totals of a target take after its first probes. The targets that are
// remembered have so much together; those that are probed often and fail in many ways take several times as much, and
// leave room for fewer.
const usualTotals = 3355

// memory keeps the totals of targets that are not configured. When it is full, the one that was unused for longest
// goes.
type memory struct {
	limit int // targets
	most  int // bytes

	mu     sync.Mutex // guards what follows
	bytes  int        // that the totals take, as far as is known
	recent *list.List // of *remembered, the last used first
	byKey  map[memoryKey]*list.Element
}

type remembered struct {
	key    memoryKey
	totals *state.Totals
	bytes  int
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, most: limit * usualTotals, recent: list.New(), byKey: map[memoryKey]*list.Element{}}
}

// totals returns the totals of a key, fresh ones if there are none.
func (m *memory) totals(key memoryKey) *state.Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		e = m.recent.PushFront(&remembered{key: key, totals: state.NewTotals()})
		m.byKey[key] = e
	}
	m.recent.MoveToFront(e)
	r := e.Value.(*remembered)
	m.charge(r)
	for m.recent.Len() > max(1, m.limit) || m.bytes > m.most && m.recent.Len() > 1 {
		m.forget(m.recent.Back())
	}
	return r.totals
}

// charge counts what a target takes now: at least what its next probe will make of it.
func (m *memory) charge(r *remembered) {
	before := r.bytes
	r.bytes = max(usualTotals, r.totals.Size())
	m.bytes += r.bytes - before
}

func (m *memory) forget(e *list.Element) {
	r := e.Value.(*remembered)
	delete(m.byKey, r.key)
	m.recent.Remove(e)
	m.bytes -= r.bytes
}

func (m *memory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recent.Len()
}

// size is about how many bytes of memory the totals take.
func (m *memory) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

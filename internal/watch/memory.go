package watch

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"errno_exporter/internal/metrics"
)

// memoryKey is what totals are kept by: a hash, so that its size does not depend on who chose the URL. Whoever finds two inputs of the same
// SHA-256 mixes two targets' counters; nobody has.
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

// memory keeps the totals of targets that are not configured. When it is full, the one that was unused for longest goes.
type memory struct {
	limit int

	mu     sync.Mutex // guards what follows
	recent *list.List // of *remembered, the last used first
	byKey  map[memoryKey]*list.Element
}

type remembered struct {
	key    memoryKey
	totals *metrics.Totals
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, recent: list.New(), byKey: map[memoryKey]*list.Element{}}
}

// totals returns the totals of a key, fresh ones if there are none.
func (m *memory) totals(key memoryKey) *metrics.Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.byKey[key]; e != nil {
		m.recent.MoveToFront(e)
		return e.Value.(*remembered).totals
	}
	r := &remembered{key, metrics.NewTotals()}
	m.byKey[key] = m.recent.PushFront(r)
	for m.recent.Len() > m.limit {
		oldest := m.recent.Back()
		delete(m.byKey, oldest.Value.(*remembered).key)
		m.recent.Remove(oldest)
	}
	return r.totals
}

func (m *memory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recent.Len()
}

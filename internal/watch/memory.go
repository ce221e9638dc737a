package watch

import (
	"container/list"
	"sync"

	"errno_exporter/internal/metrics"
)

// memoryKey is what totals are kept by.
type memoryKey struct{ name, module, target, host string }

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

package schedule

import (
	"sync"

	"errno_exporter/guard"
)

// Background is the work that continues after the probe that began it. The zero value is ready; Running reports panics.
type Background struct {
	mu      sync.Mutex // guards ended: a WaitGroup must not grow from zero while somebody waits for it
	ended   bool
	Running guard.Group
}

// Start does work in a goroutine; it reports false, and does nothing, once Wait was called.
func (b *Background) Start(work func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	b.Running.Go(work)
	return true
}

// Wait lets nothing else start, and waits for what runs.
func (b *Background) Wait() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.Running.Wait()
}

package watch

import (
	"sync"

	"errno_exporter/guard"
)

// background is the work that goes on after the probe that began it. The zero value is ready.
type background struct {
	mu      sync.Mutex // guards ended: a WaitGroup must not grow from zero while somebody waits for it
	ended   bool
	running guard.Group
}

// start does work in a goroutine; it reports false, and does nothing, once wait was called.
func (b *background) start(work func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	b.running.Go(work)
	return true
}

// wait lets nothing start any more, and waits for what runs.
func (b *background) wait() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.running.Wait()
}

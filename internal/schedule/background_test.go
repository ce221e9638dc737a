package schedule

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Work that is started while others wait either runs before wait returns, or not at all. The race detector sees a
// WaitGroup that grows meanwhile.
func TestBackground(t *testing.T) {
	for range 1000 {
		var b Background
		var ended atomic.Bool
		var starting sync.WaitGroup
		for range 4 {
			starting.Go(func() {
				var ran bool
				done := make(chan struct{})
				if !b.Start(func() { ran = !ended.Load(); close(done) }) {
					return
				}
				if <-done; !ran {
					t.Error("work ran after wait had returned")
				}
			})
		}
		b.Wait()
		ended.Store(true)
		starting.Wait()
		if b.Start(func() { t.Error("work ran that was started after wait") }) {
			t.Error("Start = true after Wait, want false")
		}
	}
}

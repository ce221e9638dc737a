package prober

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
)

// The second resolver's panic is the attempt's: who waits for the comparison has one at once, and it is counted once.
func TestPanicInComparison(t *testing.T) {
	var late atomic.Int64
	a := New(Options{Panicked: func(*guard.Panic) { late.Add(1) }}).newAttempt(context.Background(), Target{},
		module.New("m"), "")
	a.module = nil // of which the system's resolver is to read the family
	began := time.Now()
	c := a.compare("api.example.com")()
	if p := a.aside.Load(); p == nil || c.Failure == nil || c.Failure.Err != p || time.Since(began) > 30*time.Second ||
		late.Load() != 0 {
		t.Errorf("after %s the comparison is %+v, the attempt's panic %v, and %d were late, want the panic in both",
			time.Since(began), c, p, late.Load())
	}
}

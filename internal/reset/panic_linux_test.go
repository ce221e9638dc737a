package reset

import (
	"testing"
	"time"

	"errno_exporter/guard"
)

// bursting is a source of packets of which the first read panics.
type bursting struct{ reads chan int }

func (b *bursting) read(func(arrival)) {
	n := <-b.reads
	b.reads <- n + 1
	if n == 0 {
		panic("boom")
	}
}

func (b *bursting) close() {}

// A panic in the draining of the capture is reported, and the draining goes on.
func TestPanicInDraining(t *testing.T) {
	source := &bursting{make(chan int, 1)}
	source.reads <- 0
	reported := make(chan *guard.Panic, 10)
	c := newCapture(source, func(p *guard.Panic) { reported <- p })
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); c.keepDraining(stop) }()
	if p := <-reported; p.Value != "boom" {
		t.Errorf("reported %v, want the panic", p)
	}
	deadline := time.After(time.Minute)
	for n := 0; n < 3; {
		select {
		case n = <-source.reads:
			source.reads <- n
		case <-deadline:
			t.Fatalf("%d reads, want the draining to go on", n)
		}
	}
	close(stop)
	<-done
	if len(reported) != 0 {
		t.Errorf("%d more panics, want one", len(reported))
	}
}

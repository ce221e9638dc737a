// Package guard keeps a panic of one goroutine from ending the process. Every goroutine of the program is started
// through it: the runtime ends the process on a panic that no deferred function of the same goroutine recovers (The Go
// Programming Language Specification, "Handling panics").
//
//   - Where somebody waits for the goroutine, a Group passes the panic on to the one who waits.
//   - Where nobody does, a Report is called with it, which counts and logs it.
package guard

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Panic is a recovered panic: a bug of the program.
type Panic struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error is the value of the panic, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Try calls f and returns its panic, nil if there was none. A panic that a Group has passed on keeps the stack of its
// origin.
func Try(f func()) (caught *Panic) {
	defer func() { caught = Recovered(recover()) }()
	f()
	return nil
}

// Recovered is the Panic of what recover returned; nil for nil.
func Recovered(value any) *Panic {
	switch value := value.(type) {
	case nil:
		return nil
	case *Panic:
		return value
	default:
		return &Panic{value, debug.Stack()}
	}
}

// Catch is deferred in a function that goroutines of a library call: a panic becomes the function's error.
func Catch(err *error) {
	if p := Recovered(recover()); p != nil {
		*err = p
	}
}

// Report is called with each panic of a goroutine that nobody waits for. A nil Report drops it.
type Report func(*Panic)

// reportKey carries a Report.
type reportKey struct{}

// With is a context that carries a Report, for goroutines that a library starts with it.
func With(ctx context.Context, r Report) context.Context {
	return context.WithValue(ctx, reportKey{}, r)
}

// ReportOf is the Report that a context carries; nil for none.
func ReportOf(ctx context.Context) Report {
	r, _ := ctx.Value(reportKey{}).(Report)
	return r
}

// Tell reports a panic.
func (r Report) Tell(p *Panic) {
	if p != nil && r != nil {
		r(p)
	}
}

// Run calls f and reports its panic.
func (r Report) Run(f func()) { r.Tell(Try(f)) }

// Go runs f in a goroutine of its own.
func (r Report) Go(f func()) {
	go r.Run(f)
}

// AfterFunc is context.AfterFunc.
func (r Report) AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	return context.AfterFunc(ctx, func() { r.Run(f) })
}

// AfterTime is time.AfterFunc.
func (r Report) AfterTime(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { r.Run(f) })
}

// Group is a sync.WaitGroup whose goroutines are guarded. The zero Group passes the first panic on to Wait; with a
// Report each is reported.
type Group struct {
	Report Report

	running sync.WaitGroup
	mu      sync.Mutex // guards first
	first   *Panic
}

// Go runs f in a goroutine of its own.
func (g *Group) Go(f func()) {
	g.running.Go(func() {
		p := Try(f)
		if p == nil {
			return
		}
		if g.Report != nil {
			g.Report(p)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.first == nil {
			g.first = p
		}
	})
}

// Wait waits for all goroutines, and panics with the first panic of one of them.
func (g *Group) Wait() {
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first != nil {
		panic(g.first)
	}
}

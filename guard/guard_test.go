package guard

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A panic is reported, or passed on to the one who waits, with the stack of where it happened.
func TestPanics(t *testing.T) {
	boom := func() { panic("boom") }
	for _, row := range []struct {
		name string
		run  func(report Report)
	}{
		{"run", func(report Report) { report.Run(boom) }},
		{"goroutine", func(report Report) { report.Go(boom) }},
		{"end of a context", func(report Report) {
			ctx, cancel := context.WithCancel(context.Background())
			report.AfterFunc(ctx, boom)
			cancel()
		}},
		{"timer", func(report Report) { report.AfterTime(0, boom) }},
		{"group that reports", func(report Report) {
			g := Group{Report: report}
			g.Go(boom)
			g.Wait()
		}},
		{"group, to the one who waits", func(report Report) {
			report.Run(func() {
				var g Group
				g.Go(boom)
				g.Wait()
			})
		}},
		{"callback", func(report Report) {
			err := func() (err error) { defer Catch(&err); boom(); return nil }()
			p, _ := errors.AsType[*Panic](err)
			report(p)
		}},
	} {
		caught := make(chan *Panic, 1)
		row.run(func(p *Panic) { caught <- p })
		select {
		case p := <-caught:
			if p == nil || p.Error() != "panic: boom" || !strings.Contains(string(p.Stack), "guard_test.go") {
				t.Errorf("%s: caught %v, want the panic with the stack of its origin", row.name, p)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: nothing was reported", row.name)
		}
	}
	Report(nil).Run(boom) // is dropped
	if p := Try(func() {}); p != nil {
		t.Errorf("Try caught %v where nothing panicked", p)
	}
}

package cli

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
)

// dropped counts what was dropped.
type dropped struct{ atomic.Uint64 }

// end is called with the end of each connection. It must not wait: the kernel's buffer of ends would overflow.
func (w *watching) end(e *observe.End) {
	select {
	case w.ended <- *e:
	default:
		w.unprinted.Add(1)
	}
}

// dumped takes the connections of each dump, for the live table.
func (w *watching) dumped() func([]observe.Socket) {
	if !w.live {
		return nil
	}
	return func(sockets []observe.Socket) { w.sockets.Store(&sockets) }
}

// run watches until the context ends.
func (w *watching) run(ctx context.Context) int {
	first := w.lookUp(ctx)
	if len(first.addresses) == 0 {
		return Refuse(w.terminal.Messages, first.failed[0])
	}
	var err error
	w.observer, err = observe.Open(observe.Options{Interval: w.Interval, Ended: w.end, Capture: w.Resets,
		Dumped: w.dumped(), Report: w.Panicked})
	if err != nil {
		return Refuse(w.terminal.Messages, err)
	}
	defer w.observer.Close()
	for _, t := range w.targets {
		w.endings[t.name] = newEndings()
	}
	w.learn(&first)
	w.begin(&first)
	w.loop(ctx)
	w.finish()
	return ExitOK
}

// begin prints what is watched.
func (w *watching) begin(first *lookup) {
	if w.Output == "text" {
		for _, t := range w.targets {
			for _, address := range first.addresses[t.name] {
				w.printer.line("Watching %s at %s", record.Printable(t.name), address)
			}
		}
	}
	w.refresh()
}

func (w *watching) loop(ctx context.Context) {
	refresh, lookups := time.NewTicker(w.Interval), time.NewTicker(lookupInterval)
	defer refresh.Stop()
	defer lookups.Stop()
	for w.out.Flush() == nil { // otherwise Output has the error
		select {
		case <-ctx.Done():
			return
		case e := <-w.ended:
			w.printEnds(e)
		case <-refresh.C:
			w.refresh()
		case <-lookups.C:
			w.Panicked.Go(func() {
				select {
				case w.found <- w.lookUp(ctx):
				case <-ctx.Done():
				}
			})
		case found := <-w.found:
			w.learn(&found)
		}
	}
}

// printEnds prints an end, and those that wait behind it.
func (w *watching) printEnds(e observe.End) {
	w.clear()
	for {
		w.printEnd(&e)
		select {
		case e = <-w.ended:
			continue
		default:
		}
		break
	}
	w.draw()
}

func (w *watching) printEnd(e *observe.End) {
	if known := w.endings[e.Target]; known != nil {
		known.add(e)
	}
	if w.Output == "json" {
		_ = w.printer.EndJSON(e) // Output has the error
		return
	}
	w.printer.End(e)
}

// refresh shows the connections of each target: the live table, or lines of JSON.
func (w *watching) refresh() {
	if w.Output == "json" {
		w.glances("connections")
		return
	}
	w.clear()
	w.draw()
}

func (w *watching) glances(event string) []glance {
	var all []glance
	for _, t := range w.targets {
		now, _ := w.observer.Connections(t.name) // one that was never found has none
		g := glance{event, time.Now(), t.name, now, w.observer.Health().EventsLost}
		if w.Output == "json" {
			_ = w.printer.ConnectionsJSON(&g) // Output has the error
		}
		all = append(all, g)
	}
	return all
}

func (w *watching) clear() {
	w.printer.erase(w.drawn)
	w.drawn = 0
}

func (w *watching) draw() {
	if !w.live {
		return
	}
	columns, lines, err := term.GetSize(w.screen)
	if err != nil {
		columns, lines = 80, 24
	}
	v := &view{targets: w.glances(""), eventsLost: w.observer.Health().EventsLost}
	if sockets := w.sockets.Load(); sockets != nil {
		v.sockets = *sockets
	}
	table := v.table(lines, columns)
	for _, line := range table {
		w.printer.line("%s", line)
	}
	w.drawn = len(table)
}

// finish prints the ends that wait, and the summary.
func (w *watching) finish() {
	w.clear()
	for waiting := len(w.ended); waiting > 0; waiting-- {
		e := <-w.ended
		w.printEnd(&e)
	}
	for _, g := range w.glances("summary") {
		if w.Output == "text" {
			w.printer.Endings(g.Target, &g.Now, w.endings[g.Target])
		}
	}
	if n := w.observer.Health().EventsLost; n > 0 {
		fmt.Fprintf(w.terminal.Messages, "errno_exporter: the kernel could not report %d ends\n", n)
	}
	if n := w.unprinted.Load(); n > 0 {
		fmt.Fprintf(w.terminal.Messages, "errno_exporter: %d ends were not printed: standard output is slow\n", n)
	}
}

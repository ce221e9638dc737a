package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// maxIdles bounds the idle times that are kept of one kind of end.
const maxIdles = 10_000

// endings are the ends of one target's connections so far.
type endings struct {
	count map[observe.Ending]int
	lost  map[observe.Lost]int
	idle  map[observe.Ending][]time.Duration // of the last maxIdles
}

func newEndings() *endings {
	return &endings{map[observe.Ending]int{}, map[observe.Lost]int{}, map[observe.Ending][]time.Duration{}}
}

func (e *endings) add(end *observe.End) {
	kind := observe.Ending{How: end.How, Origin: end.Origin}
	n := e.count[kind]
	e.count[kind]++
	if end.Lost != observe.NothingLost {
		e.lost[end.Lost]++
	}
	if n < maxIdles {
		e.idle[kind] = append(e.idle[kind], idleOf(end))
		return
	}
	e.idle[kind][n%maxIdles] = idleOf(end)
}

// idleOf is for how long a connection had been idle when it ended or, where its end lost a request, before that
// request. Retransmissions count as the request.
func idleOf(e *observe.End) time.Duration {
	if e.Lost != observe.NothingLost && e.SinceReceived > e.Idle {
		return e.SinceReceived - e.Idle
	}
	return e.Idle
}

// howText says in words how a connection ended, and who ended it where that is known.
func howText(kind observe.Ending) string {
	switch kind.How {
	case observe.ResetReceived:
		switch kind.Origin {
		case result.Peer:
			return "reset by the peer"
		case result.Path:
			return "reset by a middlebox"
		case result.Local:
			return "reset by this host"
		}
		return "reset received"
	case observe.ResetSent:
		return "reset by the application"
	case observe.FINReceived:
		return "closed by the peer"
	case observe.FINSent:
		return "closed by the application"
	case observe.TimedOut:
		return "timed out"
	}
	return "unknown"
}

// colourOf is that of an end: red where a request on the connection fails.
func colourOf(how observe.How, lost observe.Lost) string {
	if lost != observe.NothingLost || how == observe.ResetReceived || how == observe.TimedOut {
		return red
	}
	return faint
}

// End prints the end of one connection as one line.
func (p *Printer) End(e *observe.End) {
	how := howText(observe.Ending{How: e.How, Origin: e.Origin})
	if !e.Certain && e.How != observe.Unknown {
		how += " (probably)"
	}
	age := "unknown"
	if e.Age >= 0 {
		age = longShort(e.Age)
	}
	text := fmt.Sprintf("%-35s  idle %9s  age %9s", how, longShort(idleOf(e)), age)
	if e.Lost != observe.NothingLost {
		text += "  lost: data " + string(e.Lost)
	}
	if e.Container != "" {
		text += "  of " + record.Printable(e.Container)
	}
	p.line("%s  %s → %s  %s  %s", e.At.Format("15:04:05.000"), e.Local, e.Remote, record.Printable(e.Target),
		p.paint(colourOf(e.How, e.Lost), strings.TrimRight(text, " ")))
}

// Endings summarises the connections of one target: how many were opened and are left, how the others ended, and how
// long they had been idle then.
func (p *Printer) Endings(target string, now *observe.Connections, e *endings) {
	ended := uint64(0)
	for _, n := range now.Ended {
		ended += n
	}
	p.line("")
	open := now.Opened - min(now.Opened, ended)
	p.line("%s: %d opened, %d ended, %d open", record.Printable(target), now.Opened, ended, open)
	defer p.containers(now)
	if len(e.count) == 0 {
		return
	}
	p.line("  %6s  %-25s %14s %9s %9s", "", "", "idle: shortest", "p50", "longest")
	for _, kind := range sortedEndings(e.count) {
		idle := slices.Sorted(slices.Values(e.idle[kind]))
		p.line("  %6d  %s %14s %9s %9s", e.count[kind],
			p.paint(colourOf(kind.How, ""), fmt.Sprintf("%-25s", howText(kind))), longShort(idle[0]),
			longShort(quantile(idle, 0.5)), longShort(idle[len(idle)-1]))
	}
	for _, lost := range []observe.Lost{observe.Unacknowledged, observe.Unanswered} {
		if n := e.lost[lost]; n > 0 {
			p.line("  %6d  %s", n, p.paint(red, "with data "+string(lost)))
		}
	}
}

// longShort is record.Short for durations that may be hours. Seconds stay seconds as long as timeouts are written so.
func longShort(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute).String()
	case d >= time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return record.Short(d)
}

// sortedEndings are the kinds of ends, the most frequent first.
func sortedEndings[N int | uint64](count map[observe.Ending]N) []observe.Ending {
	return slices.SortedFunc(maps.Keys(count), func(a, b observe.Ending) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.How, b.How), cmp.Compare(a.Origin, b.Origin))
	})
}

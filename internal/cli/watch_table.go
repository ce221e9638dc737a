package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
)

// The sequences by which the table is replaced: CUU and ED of ECMA-48 sections 8.3.22 and 8.3.39.
const (
	lineUp     = "\x1b[A"
	eraseBelow = "\x1b[J"
)

// A view is what the live table shows.
type view struct {
	targets    []glance
	sockets    []observe.Socket
	eventsLost uint64
}

// table is the live table in at most so many lines and columns, which the terminal has. Connections that have no room
// are counted in the last line.
func (v *view) table(lines, columns int) []string {
	out := []string{""}
	for i := range v.targets {
		out = append(out, v.targets[i].line())
		out = append(out, containerLines(&v.targets[i].Now)...)
	}
	slices.SortFunc(v.sockets, func(a, b observe.Socket) int { return int(b.Idle.Milliseconds() - a.Idle.Milliseconds()) })
	if len(v.sockets) > 0 {
		out = append(out, fmt.Sprintf("%-12s %-21s  %-21s %10s %10s %10s %7s %7s %8s %-8s%s", "state", "local", "remote",
			"idle", "age", "rtt", "retrans", "unacked", "cwnd", "", v.containerTitle()))
	}
	for i := range v.sockets {
		s := &v.sockets[i]
		row := fmt.Sprintf("%-12s %-21s  %-21s %10s %10s %10s %7d %7d %8d %-8s  %s", s.State, s.Local, s.Remote,
			longShort(s.Idle), longShort(s.Age), record.Short(s.TCP.RTT), s.TCP.Retransmits, s.TCP.Unacknowledged,
			s.TCP.Window, s.TCP.Congestion, s.Container)
		out = append(out, strings.TrimRight(row, " "))
	}
	var last []string
	if v.eventsLost > 0 {
		last = append(last, fmt.Sprintf("The kernel could not report %d ends: they are missing here.", v.eventsLost))
	}
	if most := max(0, lines-1-len(last)); len(out) > most {
		last = append(last, fmt.Sprintf("… %d lines more", len(out)-max(0, most-1)))
		out = out[:max(0, most-1)]
	}
	out = append(out, last...)
	for i := range out {
		out[i] = cut(record.Printable(out[i]), columns)
	}
	return out
}

// cut is the beginning of a line that has room in the terminal's columns.
func cut(line string, columns int) string {
	if columns <= 0 || utf8.RuneCountInString(line) <= columns {
		return line
	}
	return string([]rune(line)[:columns-1]) + "…"
}

// line is a target's connections in one line.
func (g *glance) line() string {
	var states []string
	for _, state := range slices.Sorted(maps.Keys(g.Now.States)) {
		if n := g.Now.States[state]; n > 0 {
			text := fmt.Sprintf("%d %s", n, state)
			if state == "close_wait" && g.Now.OldestCloseWait > 0 {
				text += fmt.Sprintf(" (the oldest for %s)", longShort(g.Now.OldestCloseWait))
			}
			states = append(states, text)
		}
	}
	if len(states) == 0 {
		states = []string{"no connections"}
	}
	ended := uint64(0)
	for _, n := range g.Now.Ended {
		ended += n
	}
	t := &g.Now.TCP
	congested := observe.CongestionText(g.Now.Congestion)
	if congested != "" {
		congested = ", " + congested
	}
	return fmt.Sprintf("%s: %s; %d opened, %d ended; rtt %s ± %s, cwnd %d, %d retransmitted, %d unacknowledged%s",
		g.Target, strings.Join(states, ", "), g.Now.Opened, ended, record.Short(t.RTT), record.Short(t.RTTVariance),
		t.Window, t.Retransmits, t.Unacknowledged, congested)
}

// erase removes the lines of the last table, so that what comes next stays above the next one.
func (p *Printer) erase(drawn int) {
	if drawn > 0 {
		out := escape.NewTerminal(p.Out, lineUp, eraseBelow)
		fmt.Fprint(out, strings.Repeat(lineUp, drawn)+eraseBelow) // if the reader is gone there is no way to report it
	}
}

package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// Printer prints results.
type Printer struct {
	Out    io.Writer
	Colour bool
	Width  int // of the terminal, in columns; 0: lines are not broken
}

// The widths in columns of an attempt's time, and of what is before it in a line.
const (
	barWidth    = 40
	minBarWidth = 10
	besideBar   = 2 + 10 + 1 + 10 + 2 + 2 // indentation, phase, duration, the bar's ends
)

// barWidth is what a line has room for; 0 where a bar would say nothing.
func (p *Printer) barWidth() int {
	if p.Width == 0 {
		return barWidth
	}
	if room := p.Width - besideBar; room >= minBarWidth {
		return min(room, barWidth)
	}
	return 0
}

// The colours of SGR (ECMA-48 section 8.3.117).
const (
	red   = "31"
	green = "32"
	faint = "2"
)

func (p *Printer) paint(colour, text string) string {
	if !p.Colour {
		return text
	}
	return sgr(colour) + text + sgr("0")
}

// sgr selects a colour; 0 ends it.
func sgr(colour string) string { return "\x1b[" + colour + "m" }

// line prints one line; what comes from outside must have gone through record.Printable.
func (p *Printer) line(format string, args ...any) {
	out := escape.NewTerminal(p.Out)
	if p.Colour {
		out = escape.NewTerminal(p.Out, sgr(red), sgr(green), sgr(faint), sgr("0"))
	}
	fmt.Fprintln(out, wrap(fmt.Sprintf(format, args...), p.Width)) // if the reader is gone there is no way to report it
}

// Waterfall prints a probe: its phases as bars, the verdict in one sentence, and what to look at next.
func (p *Printer) Waterfall(r *result.Result) {
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if len(r.Attempts) > 1 {
			p.line("Attempt %d of %d", i+1, len(r.Attempts))
		}
		for j := range a.Hops {
			p.hop(&a.Hops[j], a)
		}
		if rest := record.Rest(a); rest != "" {
			p.line("%s", rest)
			p.line("")
		}
	}
	p.addresses(r)
	p.line("%s", p.verdict(r))
	if f := r.Failure; f != nil {
		p.line("%s", f.Reason.Info().Sentence)
		p.line("%s", p.paint(faint, fmt.Sprintf("phase=%s reason=%s errno=%s origin=%s", f.Phase, f.Reason,
			result.ErrnoName(f.Errno), f.Origin)))
		if f.Err != nil {
			p.line("%s", p.paint(faint, record.Printable(f.Err.Error())))
		}
		if w := r.Last().LastHop().Wire; w != nil && w.Reset != nil {
			p.line("%s", p.paint(faint, "reset "+w.Reset.String()))
			if line := w.Reset.Line(); line != "" {
				p.line("%s", p.paint(faint, record.Printable(line)))
			}
		}
	}
}

// Cause prints the experiments, the kernel's counters that rose, and the verdict: the cause, its evidence, what was
// ruled out, what is open, and what is next.
func (p *Printer) Cause(f cause.Findings) {
	if len(f.Experiments) > 0 {
		p.line("")
		p.line("Experiments after the failure")
	}
	for i := range f.Experiments {
		p.line("  %s", record.Printable(cause.ExperimentText(&f.Experiments[i])))
	}
	if c := f.Kernel.Changes(); c != nil && len(c.Changed) > 0 {
		p.line("")
		p.line("%s", c.Heading())
		for _, line := range c.Lines() {
			p.line("  %s", line)
		}
	}
	v := f.Verdict
	if v == nil {
		return
	}
	p.line("")
	p.line("%s", p.paint(red, record.CauseLine(v)))
	for _, line := range record.VerdictLines(v, p.Width) {
		p.line("%s", line)
	}
}

func (p *Printer) hop(h *result.Hop, a *result.Attempt) {
	p.line("%s", record.Printable(h.URL))
	for _, s := range h.Spans {
		bar := ""
		if n := p.barWidth(); n > 0 {
			bar = record.Bar(s, a.Elapsed, n)
		}
		text := record.Printable(fact(h, s))
		if s.Failed {
			bar, text = p.paint(red, bar), p.paint(red, "FAILED here")
		}
		p.line("%s", strings.TrimRight(fmt.Sprintf("  %-10s %10s  %s  %s", s.Phase, record.Short(s.Duration), bar,
			text), " "))
	}
	p.line("")
}

// fact is the one thing worth knowing of a phase.
func fact(h *result.Hop, s result.Span) string {
	switch s.Phase {
	case result.Resolve:
		addrs := make([]string, len(h.Answers))
		for i, addr := range h.Answers {
			addrs[i] = addr.String()
		}
		return strings.Join(addrs, ", ") + silentFamily(h)
	case result.Connect, result.Proxy:
		if h.Addr.Port() != 0 {
			return h.Addr.String()
		}
	case result.TLS:
		if h.TLS != nil && len(h.TLS.Chain) > 0 {
			return "certificate of " + h.TLS.Chain[0].Subject.String() + ", until " +
				h.TLS.Chain[0].NotAfter.UTC().Format(time.DateOnly)
		}
	case result.Processing:
		if h.Wire != nil && h.Wire.Info != nil && h.Wire.Info.RTT > 0 {
			return "round trip " + record.Short(h.Wire.Info.RTT)
		}
	case result.Transfer:
		if h.Response != nil {
			return fmt.Sprintf("%s %s, %d bytes", h.Response.Proto, h.Response.StatusText, h.Response.BodyBytes)
		}
	}
	return ""
}

// silentFamily says which family of addresses the name servers did not answer for, though they answered for the other.
func silentFamily(h *result.Hop) string {
	families := h.Lookup.Families()
	if len(families) < 2 || families[0].Answered == families[1].Answered {
		return ""
	}
	silent := map[bool]string{false: "IPv4 (A)", true: "IPv6 (AAAA)"}[families[0].Answered]
	return "; the name servers did not answer for " + silent
}

// addresses prints what became of each address.
func (p *Printer) addresses(r *result.Result) {
	for i := range r.Addresses {
		a := &r.Addresses[i]
		text := p.paint(green, "ok")
		if a.Failure != nil {
			text = p.paint(red, "FAILED") + " " + a.Failure.Sentence()
		}
		p.line("%-39s %10s  %s", a.Addr, record.Short(a.Last().Elapsed), text)
	}
	if len(r.Addresses) > 0 {
		p.line("")
	}
}

// verdict is the probe in one sentence.
func (p *Printer) verdict(r *result.Result) string {
	target := record.Printable(r.URL)
	if f := r.Failure; f != nil {
		return p.paint(red, "FAILED") + " " + target + ": " + f.Sentence() + ", after " + record.Short(r.Elapsed)
	}
	answer := ""
	if response := r.Last().LastHop().Response; response != nil {
		answer = fmt.Sprintf(" answered %d over %s", response.Status, record.Printable(response.Proto))
	}
	return p.paint(green, "OK") + " " + target + answer + ", in " + record.Short(r.Elapsed)
}

// Line prints a probe in one line, with its number.
func (p *Printer) Line(n int, r *result.Result) {
	outcome, text := p.paint(green, "ok    "), ""
	if f := r.Failure; f != nil {
		outcome, text = p.paint(red, "FAILED"), f.Sentence()
	} else {
		for _, s := range r.Last().LastHop().Spans {
			if s.Phase != result.Validate {
				text += fmt.Sprintf("%s %s  ", s.Phase, record.Short(s.Duration))
			}
		}
	}
	p.line("%4d  %s  %s  %10s  %s", n, r.Start.Format(time.TimeOnly), outcome, record.Short(r.Elapsed),
		strings.TrimRight(text, " "))
}

// Idle prints what became of an idle connection.
func (p *Printer) Idle(age time.Duration, r *result.IdleResult) {
	if f := r.Failure; f != nil {
		p.line("%-8s %s after %s idle: %s", age, p.paint(red, "FAILED"), record.Short(r.Idle), f.Sentence())
		return
	}
	p.line("%-8s %s: served a request after %s idle, in %s", age, p.paint(green, "ok"), record.Short(r.Idle),
		record.Short(r.Attempt.Elapsed))
}

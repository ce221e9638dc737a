package record

import (
	"fmt"
	"strings"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
)

// findings say why it failed, with the evidence, and what to do.
func (p *page) findings(f cause.Findings) {
	if v := f.Verdict; v != nil {
		p.section("%s", CauseLine(v))
		for _, line := range VerdictLines(v, p.width) {
			p.line("%s", line)
		}
	}
	if len(f.Experiments) > 0 {
		p.section("Experiments")
		for i := range f.Experiments {
			p.line("  %s", cause.ExperimentText(&f.Experiments[i]))
		}
	}
	if c := f.Kernel.Changes(); c != nil {
		p.section("%s", c.Heading())
		for _, line := range c.Lines() {
			p.line("  %s", line)
		}
	} else if f.Kernel.Awaited() {
		p.section("%s", counters.StillAwaited)
	}
}

// CauseLine is a verdict's first line: "VERDICT  server_aborts · party server · confidence high".
func CauseLine(v *cause.Verdict) string {
	if v.Cause == cause.Unknown {
		return fmt.Sprintf("VERDICT  unknown · party %s", v.Party)
	}
	return fmt.Sprintf("VERDICT  %s · party %s · confidence %s", v.Cause, v.Party, v.Confidence)
}

// VerdictLines are the lines after it: what the cause is and its evidence, what was ruled out, what is open, and what
// is next.
func VerdictLines(v *cause.Verdict, width int) []string {
	width = Columns(width).prose()
	var lines []string
	add := func(first, text string) {
		lines = append(lines, wrap(first, strings.Repeat(" ", len(first)), Printable(text), width)...)
	}
	add("  ", v.Cause.Info().Sentence)
	for _, text := range v.Evidence {
		add("  - ", text)
	}
	if len(v.RuledOut) > 0 {
		lines = append(lines, "RULED OUT")
		for _, r := range v.RuledOut {
			add(fmt.Sprintf("  %-22s", r.Cause), r.By)
		}
	}
	if len(v.Open) > 0 {
		open := make([]string, len(v.Open))
		for i, c := range v.Open {
			open[i] = string(c)
		}
		add("OPEN     ", strings.Join(open, ", "))
	}
	for i, text := range v.Next {
		add([]string{"NEXT     ", "         "}[min(i, 1)], text)
	}
	return lines
}

// wrap breaks a text into lines of at most so many columns, where it has spaces.
func wrap(first, rest, text string, width int) []string {
	var lines []string
	line := first
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return append(lines, line)
}

package record

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"errno_exporter/internal/escape"
)

// maxLine bounds a line of a page in bytes: servers may send long ones.
const maxLine = 4096

// prose is where prose is wrapped.
func (c Columns) prose() int {
	if c <= 0 || c > DefaultWidth {
		c = DefaultWidth
	}
	return int(c)
}

// page is a plain text page under construction. Whatever goes into a line stays in that line and cannot drive a
// terminal: it may come from a hostile server.
type page struct {
	bytes.Buffer
	width int // where prose is wrapped, in columns
}

// line adds one line.
func (p *page) line(format string, args ...any) {
	p.WriteString(Printable(fmt.Sprintf(format, args...)))
	p.WriteByte('\n')
}

// section adds an empty line and a heading.
func (p *page) section(format string, args ...any) {
	p.WriteByte('\n')
	p.line(format, args...)
}

// prose adds sentences, wrapped between words.
func (p *page) prose(text string) {
	for _, line := range wrap("", "", text, p.width) {
		p.line("%s", line)
	}
}

// Printable is text with all that is not printable escaped, line feeds too, and cut at maxLine bytes, never within an
// escape.
func Printable(text string) string {
	if len(text) <= maxLine && escape.Label(text) == text {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		shown := escape.Label(text[i : i+size])
		if b.Len()+len(shown) > maxLine {
			fmt.Fprintf(&b, "… (%d bytes more)", len(text)-i)
			break
		}
		b.WriteString(shown)
		i += size
	}
	return b.String()
}

// Short is a duration for a column: "250 µs", "12.5 ms", "1.203 s".
func Short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%.3f s", d.Seconds())
	}
}

// Long is a long duration in its largest unit: "40 days".
func Long(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	default:
		return fmt.Sprintf("%d seconds", max(0, d)/time.Second)
	}
}

// count is a number of things: "1 call", "2 calls".
func count[N int | int64 | uint32 | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

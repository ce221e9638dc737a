// Package escape keeps text from outside from being anything but text: control characters of C0 and C1, DEL, and the
// format characters that change the order of writing (UAX 9) or are not seen. One rule decides what is escaped,
// strconv.IsPrint, for every output.
//
//   - JSON and log lines: \uXXXX, which JSON reads back as the character (RFC 8259 section 7).
//   - Label values: the text \uXXXX. The exposition format knows no escape but \\, \" and \n, so that a client reads
//     the six characters.
//   - A terminal: \uXXXX, but for the exporter's own colours.
package escape

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// clean reports whether a text needs no escape. The line feed is the end of a line, never part of one: who writes lines
// has escaped it.
func clean(b []byte) bool {
	for i := range b {
		if c := b[i]; c >= 0x7f || c < ' ' && c != '\n' {
			return cleanUnicode(b)
		}
	}
	return true
}

func cleanUnicode(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if !printable(r, size) {
			return false
		}
		b = b[size:]
	}
	return true
}

func printable(r rune, size int) bool {
	return r == '\n' || strconv.IsPrint(r) && (r != utf8.RuneError || size > 1)
}

// appendRune appends an escape of a character.
func appendRune(to []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}

// Line is a line of JSON or of a log with every character escaped that is not printable, but for line feeds.
func Line(b []byte) []byte {
	if clean(b) {
		return b
	}
	escaped := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if printable(r, size) {
			escaped = append(escaped, b[:size]...)
		} else {
			escaped = appendRune(escaped, r)
		}
		b = b[size:]
	}
	return escaped
}

// Label is a text for a label's value.
func Label(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return unicodeLabel(s)
		}
	}
	return s // nearly all
}

func unicodeLabel(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if strings.IndexFunc(s, func(r rune) bool { return r == '\n' || !printable(r, 2) }) < 0 {
		return s
	}
	return strings.ReplaceAll(string(Line([]byte(s))), "\n", `\u000a`)
}

// NewWriter returns a writer of lines of JSON or of a log. Each call writes whole characters.
func NewWriter(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

func (w writer) Write(b []byte) (int, error) {
	if _, err := w.to.Write(Line(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// NewTerminal returns a writer for a person's screen: what is not printable is escaped, but for line feeds and these
// sequences.
func NewTerminal(to io.Writer, sequences ...string) io.Writer { return terminal{to, sequences} }

type terminal struct {
	to        io.Writer
	sequences []string
}

func (w terminal) Write(b []byte) (int, error) {
	var escaped []byte
	for rest := b; len(rest) > 0; {
		at, sequence := w.next(rest)
		escaped = append(escaped, Line(rest[:at])...)
		escaped = append(escaped, sequence...)
		rest = rest[at+len(sequence):]
	}
	if _, err := w.to.Write(escaped); err != nil {
		return 0, err
	}
	return len(b), nil
}

// next is where the first of the sequences is, and which; the end and none if there is none.
func (w terminal) next(b []byte) (at int, sequence string) {
	at = len(b)
	for _, s := range w.sequences {
		if i := bytes.Index(b[:at], []byte(s)); i >= 0 {
			at, sequence = i, s
		}
	}
	return at, sequence
}

package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"errno_exporter/internal/metrics/resulttest"
)

func TestWrap(t *testing.T) {
	for _, row := range []struct {
		name, line string
		width      int
		want       string
	}{
		{"no limit", "a line of words", 0, "a line of words"},
		{"it fits", "a line of words that fit", 24, "a line of words that fit"},
		{"between words", "a line of words that do not fit", 24, "a line of words that do\n  not fit"},
		{"indented", "    one two three four five", 22, "    one two three four\n      five"},
		{"a long word", "see https://api.example.com/v1/health now", 20, "see\n  https://api.example.com/v1/health\n  now"},
		{"spaces within", "  resolve     2.0 ms  |==|  192.0.2.7", 24, "  resolve     2.0 ms\n    |==|  192.0.2.7"},
		{"a bar is one word", "  a  |=    |  FAILED here", 20, "  a  |=    |  FAILED\n    here"},
		{"a bar that does not fit", "  resolve  2.0 ms  |  ==   |  x", 20, "  resolve  2.0 ms\n    |  ==   |  x"},
		{"no bar", "a |b c d| |e f", 20, "a |b c d| |e f"},
		{"no bar, broken", "one |two three| four five", 20, "one |two three| four\n  five"},
		{"colours take no column", "\x1b[31mFAILED\x1b[0m twelve more..", 20, "\x1b[31mFAILED\x1b[0m twelve more.."},
		{"narrower than anything", "one two three four five six", 1, "one two three four\n  five six"},
	} {
		if got := wrap(row.line, row.width); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// withoutBars is a text without its bars, which are shorter in a narrow terminal.
func withoutBars(text bytes.Buffer) string { return bars.ReplaceAllString(text.String(), "") }

var bars = regexp.MustCompile(`\|[= ]*\|`)

// No line of a probe is wider than the terminal unless one word is, and none loses a word.
func TestWaterfallIsWrapped(t *testing.T) {
	for _, record := range resulttest.Records() {
		var whole bytes.Buffer
		(&Printer{Out: &whole}).Waterfall(&record.Result)
		for _, width := range []int{20, 30, 40, 60, 80, 120} {
			var got bytes.Buffer
			(&Printer{Out: &got, Width: width}).Waterfall(&record.Result)
			for line := range strings.Lines(got.String()) {
				text := strings.TrimRight(line, "\n ")
				if columns(text) > width && strings.Contains(strings.TrimSpace(text), " ") {
					t.Errorf("%s at %d columns: %q has %d", record.Name, width, text, columns(text))
				}
			}
			if a, b := strings.Fields(withoutBars(whole)), strings.Fields(withoutBars(got)); strings.Join(a, " ") != strings.Join(b, " ") {
				t.Errorf("%s at %d columns: words are lost", record.Name, width)
			}
		}
	}
}

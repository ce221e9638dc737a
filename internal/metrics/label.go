package metrics

import (
	"unicode/utf8"

	"errno_exporter/internal/escape"
)

// maxLabelValue bounds a label value in bytes. The longest are names in certificates, which a stranger chooses.
const maxLabelValue = 512

// label is one label of a sample.
type label struct{ name, value string }

// boundedLabel makes a stranger's text fit to be a label value: printable, and cut at maxLabelValue bytes between
// characters.
func boundedLabel(s string) string {
	if s = escape.Label(s); len(s) <= maxLabelValue {
		return s
	}
	if len(s) <= maxLabelValue {
		return s
	}
	end := maxLabelValue
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// number is 1 for true.
func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

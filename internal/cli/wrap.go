package cli

import (
	"strings"
	"unicode/utf8"
)

// narrowest is the least width in columns that lines are broken for.
const narrowest = 20

// wrap breaks a line between words so that no part has more columns than width, unless a word has; 0: no limit. What
// follows is indented as the line is, and by two columns more. Colours take no column.
func wrap(line string, width int) string {
	if width == 0 || columns(line) <= width {
		return line
	}
	width = max(width, narrowest)
	indent := strings.Repeat(" ", min(len(line)-len(strings.TrimLeft(line, " "))+2, width/2))
	var lines []string
	current := ""
	for i, word := range words(line) {
		switch {
		case i == 0:
			current = word
		case columns(current)+1+columns(word) > width && word != "" && strings.TrimSpace(current) != "":
			lines = append(lines, strings.TrimRight(current, " "))
			current = indent + word
		default:
			current += " " + word
		}
	}
	return strings.Join(append(lines, current), "\n")
}

// words are a line's words, each of the spaces between them that is beyond the first, and bars (|==   |) as one.
func words(line string) []string {
	all := strings.Split(line, " ")
	for i := 0; i < len(all); i++ {
		if !strings.HasPrefix(all[i], "|") || len(all[i]) > 1 && strings.HasSuffix(all[i], "|") {
			continue
		}
		for end := i + 1; end < len(all); end++ {
			if strings.HasSuffix(all[end], "|") {
				all = append(append(all[:i:i], strings.Join(all[i:end+1], " ")), all[end+1:]...)
				break
			}
			if strings.Trim(all[end], "=") != "" {
				break // no bar
			}
		}
	}
	return all
}

// fit are the first columns of a text that the next one replaces in place; 0: no limit.
func fit(text string, width int) string {
	runes := []rune(text)
	if width == 0 || len(runes) < width {
		return text
	}
	return string(runes[:max(width-1, 0)]) // a full line would begin the next one
}

// columns is how many columns a text takes: its runes without the sequences that change colours.
func columns(text string) int {
	n := utf8.RuneCountInString(text)
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "\x1b[")
		if !found {
			return n
		}
		sequence, tail, _ := strings.Cut(after, "m")
		n -= len("\x1b[") + len(sequence) + len("m")
		rest = tail
	}
}

package documents

import (
	"regexp"
	"strings"
	"testing"
)

// between is the space between two words, which a line break within a comment may be.
const between = `(?:\s|//|#)+`

// glossary are words that are written nowhere, and what is written instead. A character class keeps this file from
// matching itself.
var glossary = []struct {
	word    string
	instead string
}{
	{`\ba[s]kers?\b`, "client, caller, scraper"},
	{`\bway` + between + `o[u]t\b`, "egress, outbound connectivity"},
	{`\bm[e]nd(?:s|ed|ing)?\b`, "fix"},
	{`\bbox(?:es)?` + between + `on` + between + `the` + between + `w[a]y\b`, "middlebox"},
	{`\bk[e]epers?\b|[a-z](?-i:K[e]eper)`, "idle connection pool"},
	{`\b(?:stands?|stood)` + between + `tw[i]ce\b`, "is duplicated"},
	{`\b(?:takes?|took|taking)` + between + `le[a]ve\b|\bf[a]rewells?\b`, "close_notify, CONNECTION_CLOSE, GOAWAY"},
	{`\bin` + between + `v[a]in\b`, "fails, without success"},
	{`\bof` + between + `l[a]te\b`, "recently"},
	{`\bsum(?:s|med|ming)?` + between + `[u]p\b`, "summarise, add up"},
}

// No file has a word of the glossary's left column.
func TestWords(t *testing.T) {
	files := texts(t)
	for _, row := range glossary {
		pattern := regexp.MustCompile("(?i)" + row.word)
		for name, text := range files {
			for _, at := range pattern.FindAllStringIndex(text, -1) {
				t.Errorf("%s:%d: %q, write %s", name, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]],
					row.instead)
			}
		}
	}
}

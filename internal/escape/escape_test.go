package escape

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are the characters that drive a terminal, hide, or turn the order of writing.
const hostile = "a\x1b[31m\u009b2J\x7f\x00\r\b\u202e\u2066\u200b\u00ad\ufeff\u2028\U000e0001é漢b"

func TestLabel(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"api.example.com", "api.example.com"},
		{"Bücher 漢 🙂", "Bücher 漢 🙂"},
		{`quoted " and \`, `quoted " and \`},
		{"\x1b[31m", `\u001b[31m`},
		{"\u009b\x7f\u202e", `\u009b\u007f\u202e`},
		{"two\nlines", `two\u000alines`},
		{"\xff", "\ufffd"},
		{"\U000e0001", `\udb40\udc01`},
	} {
		if got := Label(row.text); got != row.want {
			t.Errorf("Label(%q) = %q, want %q", row.text, got, row.want)
		}
	}
}

// JSON means the same after it is escaped, and has nothing in it that is not printable.
func TestWriter(t *testing.T) {
	var out bytes.Buffer
	if err := json.NewEncoder(NewWriter(&out)).Encode(hostile); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != hostile {
		t.Errorf("%q reads back as %q, %v", out.String(), got, err)
	}
	if i := strings.IndexFunc(strings.TrimSuffix(out.String(), "\n"),
		func(r rune) bool { return !strconv.IsPrint(r) }); i >= 0 {
		t.Errorf("%q is not printable at %d", out.String(), i)
	}
}

func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	w := NewTerminal(&out, "\x1b[31m", "\x1b[0m")
	if n, err := w.Write([]byte("\x1b[31mred\x1b[0m\x1b[32m\x1b[2J\u202e\n")); n != 25 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if want := "\x1b[31mred\x1b[0m" + `\u001b[32m\u001b[2J\u202e` + "\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte(hostile))
	f.Fuzz(func(t *testing.T, line []byte) {
		got := Line(line)
		for _, r := range string(got) {
			if r != '\n' && !strconv.IsPrint(r) {
				t.Fatalf("Line(%q) = %q has %q", line, got, r)
			}
		}
		if !utf8.Valid(got) {
			t.Fatalf("Line(%q) = %q is not UTF-8", line, got)
		}
	})
}

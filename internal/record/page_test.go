package record

import (
	"strings"
	"testing"
	"time"
)

func TestPrintable(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"plain", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"},
		{"other alphabets", "CN=Prüfstelle 検査", "CN=Prüfstelle 検査"},
		{"terminal escape", "\x1b[2J", `\u001b[2J`},
		{"line feed and carriage return", "a\r\nb", `a\u000d\u000ab`},
		{"right-to-left override", "a\u202eb", `a\u202eb`},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"the replacement character itself", "a\uFFFDb", "a\uFFFDb"},
		{"too long", strings.Repeat("a", 5000), strings.Repeat("a", 4096) + "… (904 bytes more)"},
		{"too long, of escapes", strings.Repeat("\x1b", 1000), strings.Repeat(`\u001b`, 682) + "… (318 bytes more)"},
	} {
		if got := Printable(row.text); got != row.want {
			t.Errorf("%s: Printable(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 µs"},
		{999999, "999 µs"},
		{time.Millisecond, "1.0 ms"},
		{12540 * time.Microsecond, "12.5 ms"},
		{1203 * time.Millisecond, "1.203 s"},
	} {
		if got := Short(row.d); got != row.want {
			t.Errorf("Short(%s) = %q, want %q", row.d, got, row.want)
		}
	}
}

func TestRough(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 seconds"},
		{119 * time.Second, "119 seconds"},
		{2 * time.Minute, "2 minutes"},
		{119 * time.Minute, "119 minutes"},
		{47 * time.Hour, "47 hours"},
		{72*time.Hour - 1, "2 days"},
	} {
		if got := Long(row.d); got != row.want {
			t.Errorf("Long(%s) = %q, want %q", row.d, got, row.want)
		}
	}
}

package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/promslog"
)

// A record of the log is one line of printable characters, in both formats, whatever its message, its keys and its
// values are; a line of JSON is still JSON.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J", "\u009b\x7f\u0085", "\u202a\u202e\u2066\u2069\u200b\ufeff", "\xff\xc0\x80",
		"a\r\nlevel=ERROR", "\u2028\U000e0001", "=\" \\", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{"logfmt", "json"} {
			line := logged(t, format, text)
			whole, ended := strings.CutSuffix(line, "\n")
			if !ended || !utf8.ValidString(line) ||
				strings.IndexFunc(whole, func(r rune) bool { return !strconv.IsPrint(r) }) >= 0 {
				t.Errorf("%s of %q: %q", format, text, line)
			}
			if format == "json" && len(line) < maxLine && !json.Valid([]byte(line)) {
				t.Errorf("%q is logged as %q, which is not JSON", text, line)
			}
		}
	})
}

// logged is the line of a record that has the text wherever there can be one.
func logged(t *testing.T, format, text string) string {
	t.Helper()
	var out bytes.Buffer
	q := NewQueue(&out)
	config := promslog.Config{Format: promslog.NewFormat(), Writer: io.Writer(q)}
	if err := config.Format.Set(format); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(Bounded(promslog.New(&config).Handler()))
	logger.With("w"+text, text).Info(text, "k"+text, text, "err", errors.New(text),
		"any", []string{text}, slog.Group("g"+text, slog.String("a", text)), "bytes", []byte(text))
	q.Close(time.Minute)
	return out.String()
}

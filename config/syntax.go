package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// syntaxError places what yaml says of broken YAML, and says what to do where that is known. It knows nothing of bytes
// that are no text.
func (p place) syntaxError(data []byte, err error) error {
	mayBeTab := strings.Contains(err.Error(), "cannot start any token") || strings.Contains(err.Error(), "tab character")
	if line := tabLine(data); line > 0 && mayBeTab {
		return fmt.Errorf("%s:%d: a tab indents this line: use spaces", p.file, line)
	}
	if line, b := foreignByte(data); line > 0 {
		return fmt.Errorf("%s:%d: the byte 0x%02x is no text: save the file as UTF-8", p.file, line, b)
	}
	problem, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if _, scanErr := fmt.Sscanf(problem, "line %d: ", &line); scanErr == nil {
		_, problem, _ = strings.Cut(problem, ": ")
	}
	if found := breaksAt(data, err); found > 0 {
		line = found
	}
	return fmt.Errorf("%s:%d: broken YAML here or above: %s%s", p.file, max(line, 1), problem, syntaxFix(problem))
}

// syntaxFixes are what to do about yaml's own words for a problem.
var syntaxFixes = []struct{ problem, fix string }{
	{"did not find expected key", "indent the line like its neighbours"},
	{"did not find expected '-' indicator", "indent the line like its neighbours"},
	{"mapping values are not allowed", "indent the line like its neighbours, or put a value that has a colon in quotes"},
	{"could not find expected ':'", "want KEY: VALUE"},
	{"did not find expected node content", "want a value"},
	{"did not find expected ',' or ']'", "close the list with ]"},
	{"did not find expected ',' or '}'", "close the mapping with }"},
	{"cannot start any token", "put the value in quotes"},
	{"unknown escape character", `write '\' in single quotes, or \\ in double quotes`},
	{"unexpected end of stream", "close the quotes"},
	{"unknown anchor", "define it above, as in &NAME"},
	{"incompatible YAML document", "remove the line %YAML"},
	{"expected <document start>", "want KEY: VALUE"},
}

func syntaxFix(problem string) string {
	for _, known := range syntaxFixes {
		if strings.Contains(problem, known.problem) {
			return ": " + known.fix
		}
	}
	return ""
}

// maxSearched bounds the files in which breaksAt searches.
const maxSearched = 4 << 20

// breaksAt is the first line, from 1, up to which the file is broken in the same way as the whole of it; 0 if that is
// not known. The line that yaml names is the beginning of the mapping or list around the mistake, which may be all
// modules, or none.
func breaksAt(data []byte, whole error) int {
	if len(data) > maxSearched || isUTF16(data) {
		return 0
	}
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	var ends []int
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	at := sort.Search(len(ends), func(i int) bool {
		err := firstError(data[:ends[i]])
		return err != nil && err.Error() == whole.Error()
	})
	return at + 1
}

// firstError is the first error in any document.
func firstError(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// tabLine is the first line that a tab indents, which YAML forbids; 0 if there is none.
func tabLine(data []byte) int {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") && strings.TrimSpace(line) != "" {
			return number
		}
	}
	return 0
}

// foreignByte is the line, from 1, of the first byte that is no UTF-8 text or a control character; 0 for none, and for
// UTF-16, which YAML allows.
func foreignByte(data []byte) (line int, b byte) {
	if isUTF16(data) {
		return 0, 0
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0x7f {
			return 1 + bytes.Count(data[:i], []byte("\n")), data[i]
		}
		i += size
	}
	return 0, 0
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

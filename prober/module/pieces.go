package module

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// A server may return a part of a secret, or the secret in another shape: its first half, as in "invalid key
// sk-proj-1234…", one half in each of two fields, letters in another case, hexadecimal digits with colons between them.
// So the windows of eight letters and digits of each secret are known, in lower case and without what is between them,
// and what of a text consists of such windows is masked.

// windowSize is the number of letters and digits in a window: they fill a uint64.
const windowSize = 8

// telling is the number of letters, or of digits, that one after the other are a part of a secret. Of both together
// windowSize is enough: no word, and no number, has both.
const telling = 10

// pieces are the windows of secrets.
type pieces struct {
	windows []uint64 // sorted
	filter  []uint64 // a bit for each window's hash: nearly all windows of a text are in no secret
	shift   int      // of a hash
}

// newPieces are the windows of these secrets, and of their forms in hexadecimal and base64. Both alphabets of base64
// have the same letters and digits.
func newPieces(secrets []string) *pieces {
	var windows []uint64
	for _, secret := range secrets {
		for piece := range piecesOf(secret) {
			windows = appendWindows(windows, piece)
			windows = appendWindows(windows, hex.EncodeToString([]byte(piece)))
			for before := range 3 {
				windows = appendWindows(windows, within(base64.RawStdEncoding, piece, before))
			}
		}
	}
	slices.Sort(windows)
	p := &pieces{windows: slices.Compact(windows), shift: 64 - 6}
	for bits := 64; bits < 16*len(p.windows); bits *= 2 {
		p.shift--
	}
	p.filter = make([]uint64, 1<<(64-p.shift-6))
	for _, w := range p.windows {
		h := p.hash(w)
		p.filter[h/64] |= 1 << (h % 64)
	}
	return p
}

// piecesOf are what of a secret is worth a window: what separators leave. A text with a colon is a user and a password,
// or a URL, and has none.
func piecesOf(secret string) iter.Seq[string] {
	if strings.Contains(secret, ":") {
		return func(func(string) bool) {}
	}
	return strings.FieldsFuncSeq(secret, func(r rune) bool {
		return r <= ' ' || strings.ContainsRune(`"',;=/@.?&()<>{}[]|\`, r)
	})
}

// folded is a letter or a digit in lower case; 0 for any other byte.
var folded = func() (table [256]byte) {
	for b := byte('0'); b <= '9'; b++ {
		table[b] = b
	}
	for b := byte('a'); b <= 'z'; b++ {
		table[b], table[b-('a'-'A')] = b, b
	}
	return table
}()

func appendWindows(to []uint64, piece string) []uint64 {
	var window uint64
	n := 0
	for i := range len(piece) {
		if b := folded[piece[i]]; b != 0 {
			window = window<<8 | uint64(b)
			if n++; n >= windowSize {
				to = append(to, window)
			}
		}
	}
	return to
}

// hash is the bit of a window in the filter, by Fibonacci hashing (Knuth, TAOCP volume 3, section 6.4).
func (p *pieces) hash(window uint64) uint64 { return window * 0x9e3779b97f4a7c15 >> p.shift }

func (p *pieces) has(window uint64) bool {
	h := p.hash(window)
	if p.filter[h/64]&(1<<(h%64)) == 0 {
		return false
	}
	_, found := slices.BinarySearch(p.windows, window)
	return found
}

// span is a part of a text.
type span struct{ from, to int }

// in are the parts of a text that are parts of secrets.
func (p *pieces) in(text string) []span {
	if len(p.windows) == 0 {
		return nil
	}
	var all []span
	var window uint64
	var run span   // of windows, each of which begins with the next letter or digit
	var length int // of the run, in letters and digits
	n := 0
	for i := range len(text) {
		b := folded[text[i]]
		if b == 0 {
			continue
		}
		window = window<<8 | uint64(b)
		if n++; n < windowSize {
			continue
		}
		switch known := p.has(window); {
		case known && length == 0:
			run, length = span{before(text, i), i + 1}, windowSize
		case known:
			run.to, length = i+1, length+1
		case length > 0:
			if tells(text, run, length) {
				all = append(all, run)
			}
			length = 0
		}
	}
	if length > 0 && tells(text, run, length) {
		all = append(all, run)
	}
	return all
}

// before is where the window begins that ends with a byte of a text.
func before(text string, last int) int {
	for n := windowSize; ; last-- {
		if folded[text[last]] != 0 {
			if n--; n == 0 {
				return last
			}
		}
	}
}

// tells reports whether a run of windows is more than a word that a secret has, too.
func tells(text string, run span, length int) bool {
	return length >= telling || mixed(text[run.from:run.to])
}

// mixed reports whether a text has letters and digits.
func mixed(text string) bool {
	digits, letters := false, false
	for i := range len(text) {
		b := folded[text[i]]
		digits, letters = digits || '0' <= b && b <= '9', letters || b >= 'a'
	}
	return digits && letters
}

// without is a text with Masked in the place of parts of secrets.
func (p *pieces) without(text string) string {
	found := p.in(text)
	if found == nil {
		return text
	}
	var shown strings.Builder
	from := 0
	for _, s := range found {
		if s.from >= from {
			shown.WriteString(text[from:s.from])
			shown.WriteString(Masked)
		}
		from = max(from, s.to)
	}
	shown.WriteString(text[from:])
	return shown.String()
}

// mostEscapes is how many times a text is unescaped in search of a secret: an error that quotes a page that quotes a
// URL.
const mostEscapes = 3

// disguises reports whether a text has a secret in it that is read after its escapes: each of its characters
// percent-encoded, or as \u0061, \u{61}, \U00000061, \x61, \141, %u0061, or &#97;, or some of them twice.
func (k *Mask) disguises(text string) bool {
	for range mostEscapes {
		plain, tells := unescape(text)
		if !tells {
			return false
		}
		if text = plain; k.replacer.Replace(text) != text || k.pieces.in(text) != nil {
			return true
		}
	}
	return false
}

// unescape is a text with its escapes of URLs, JSON, Go, C and HTML read once. It tells something where one is that of
// a letter, of a digit, or of what begins an escape: a secret's own forms have the others.
func unescape(text string) (plain string, tells bool) {
	if strings.Contains(text, "&#") || strings.Contains(text, "&amp;") {
		text, tells = html.UnescapeString(text), true
	}
	var to strings.Builder
	for {
		next := strings.IndexAny(text, `%\`)
		if next < 0 {
			to.WriteString(text)
			return to.String(), tells
		}
		b, size := escaped(text[next:])
		tells = tells || size > 1 && (folded[b] != 0 || strings.IndexByte(`%\&`, b) >= 0)
		to.WriteString(text[:next])
		to.WriteByte(b)
		text = text[next+size:]
	}
}

// escapes are what begins an escape of a byte, its digits, and what ends it.
var escapes = []struct {
	before       string
	digits, base int
	after        string
}{
	{"%", 2, 16, ""}, {"%u", 4, 16, ""}, {`\u`, 4, 16, ""}, {`\u{`, 2, 16, "}"}, {`\U`, 8, 16, ""},
	{`\x`, 2, 16, ""}, {`\`, 3, 8, ""},
}

// escaped is the byte that a text begins with, and the length of its escape.
func escaped(text string) (b byte, size int) {
	for _, form := range escapes {
		digits, found := strings.CutPrefix(text, form.before)
		if !found || len(digits) < form.digits || !strings.HasPrefix(digits[form.digits:], form.after) {
			continue
		}
		if n, err := strconv.ParseUint(digits[:form.digits], form.base, 8); err == nil {
			return byte(n), len(form.before) + form.digits + len(form.after)
		}
	}
	return text[0], 1
}

package module

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length in bytes from which a secret is masked wherever it appears. A shorter one is masked only
// where a secret stands by its place: "42" appears in every record.
const minSecret = 4

// minPiece is the length from which a part of a secret, such as the token after "Bearer", is a secret of its own.
const minPiece = 8

// Mask masks secrets by their values, wherever they appear. A nil Mask masks nothing. It is never changed.
type Mask struct {
	secrets  []string
	forms    []string // of all secrets, the longest first
	replacer *strings.Replacer
	pieces   *pieces
}

// With returns a Mask that masks these secrets, too.
func (k *Mask) With(secrets ...string) *Mask {
	var all []string
	if k != nil {
		all = k.secrets
	}
	known := len(all)
	for _, secret := range secrets {
		for _, part := range parts(secret) {
			if len(part) >= minSecret && part != Masked && !slices.Contains(all, part) {
				all = append(all[:len(all):len(all)], part)
			}
		}
	}
	if len(all) == known {
		return k
	}
	var forms []string
	for _, secret := range all {
		forms = append(forms, spellings(secret)...)
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // what contains another one comes first
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, Masked)
	}
	return &Mask{secrets: all, forms: forms, replacer: strings.NewReplacer(pairs...), pieces: newPieces(all)}
}

// ellipsis ends a text that was cut.
const ellipsis = "…"

// Text is a text without the secrets. Of one that was cut, the end may be the beginning of a secret.
func (k *Mask) Text(text string) string {
	if k == nil {
		return text
	}
	if whole, cut := strings.CutSuffix(text, ellipsis); cut {
		return k.Beginning(whole) + ellipsis
	}
	return k.whole(text)
}

// whole is a text without the secrets and parts of them. One that hides a secret behind escapes is not shown at all.
func (k *Mask) whole(text string) string {
	text = k.pieces.without(k.replacer.Replace(text))
	if k.disguises(text) {
		return Masked
	}
	return text
}

// Beginning is the beginning of a longer text without the secrets, nor the first bytes of one at its end.
func (k *Mask) Beginning(text string) string {
	if k == nil {
		return text
	}
	text = k.whole(text)
	end := len(text)
	for _, form := range k.forms {
		end = min(end, beginOf(form, text))
	}
	if end == len(text) {
		return text
	}
	return text[:end] + Masked
}

// beginOf is where, at the end of a text, the first bytes of a form are; the text's length if they are not there.
func beginOf(form, text string) int {
	if len(form) <= minSecret {
		return len(text)
	}
	first := form[:minSecret]
	for at := max(0, len(text)-len(form)+1); ; at++ {
		next := strings.Index(text[at:], first)
		if next < 0 {
			return len(text)
		}
		if at += next; strings.HasPrefix(form, text[at:]) {
			return at
		}
	}
}

// parts are a secret and what is secret in it: the credentials after a scheme, the values of cookies, a password in
// basic authentication.
func parts(secret string) []string {
	all := []string{secret}
	for piece := range strings.FieldsFuncSeq(secret, func(r rune) bool { return strings.ContainsRune(" \t;,=\"", r) }) {
		if len(piece) >= minPiece {
			all = append(all, piece)
		}
	}
	if fields := strings.Fields(secret); len(fields) == 2 { // Authorization: SCHEME CREDENTIALS (RFC 9110 section 11.4)
		all = append(all, fields[1])
	}
	if scheme, encoded, found := strings.Cut(secret, " "); found && strings.EqualFold(scheme, "Basic") {
		all = append(all, encoded)
		if plain, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			all = append(all, string(plain), password)
		}
	}
	return all
}

// spellings are the forms in which a secret may come back: as it is, percent-encoded, quoted by JSON, Go or HTML, in
// hexadecimal, in base64, and in other cases, such as that of a header's name.
func spellings(secret string) []string {
	quoted, _ := json.Marshal(secret) // every text is a JSON text
	query := url.QueryEscape(secret)
	component := strings.ReplaceAll(query, "+", "%20")
	hexadecimal := hex.EncodeToString([]byte(secret))
	all := []string{
		secret, query, component, unescaped.Replace(component), url.PathEscape(secret),
		percentLower(query), percentLower(component), percentLower(url.PathEscape(secret)),
		inner(string(quoted)), inner(plainJSON(secret)), strings.ReplaceAll(inner(plainJSON(secret)), "/", `\/`),
		inner(strconv.Quote(secret)), inner(strconv.QuoteToASCII(secret)), html.EscapeString(secret),
		hexadecimal, strings.ToUpper(hexadecimal),
		strings.ToLower(secret), strings.ToUpper(secret), textproto.CanonicalMIMEHeaderKey(secret),
	}
	all = append(all, inBase64(secret)...)
	if query != secret {
		all = append(all, inBase64(query)...) // as OAuth2 has it in basic authentication, RFC 6749 section 2.3.1
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unescaped are the characters that encodeURIComponent of ECMAScript leaves as they are.
var unescaped = strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// percentLower is a percent-encoded text with lower-case digits in its escapes.
func percentLower(escaped string) string {
	lower := []byte(escaped)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:i+3], bytes.ToLower(lower[i+1:i+3]))
		}
	}
	return string(lower)
}

// plainJSON is a JSON text without escapes that JSON does not ask for.
func plainJSON(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // every text is a JSON text
	return strings.TrimSuffix(out.String(), "\n")
}

// inner is a quoted text without its quotation marks.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// inBase64 are the forms of a secret in base64: alone, and as a part of something longer, such as the password in the
// base64 of user:password. There the secret begins at one of three bits, and its first and last character may
// be shared with what is beside it.
func inBase64(secret string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		raw := encoding.WithPadding(base64.NoPadding)
		all = append(all, encoding.EncodeToString([]byte(secret)), raw.EncodeToString([]byte(secret)))
		for before := range 3 {
			if encoded := within(raw, secret, before); len(encoded) >= minPiece {
				all = append(all, encoded)
			}
		}
	}
	return all
}

// within are the characters of base64 that a secret alone decides, behind so many other bytes.
func within(raw *base64.Encoding, secret string, before int) string {
	encoded := raw.EncodeToString(append(make([]byte, before), secret...))
	first, last := (8*before+5)/6, 8*(before+len(secret))/6
	return encoded[first:max(first, last)]
}

// SecretsOfURL are a URL's password, with its user for basic authentication, and the values of its secret parameters. A
// user without a password is a secret: it is how tokens are written in URLs.
func SecretsOfURL(u *url.URL, params []string) []string {
	all := secretsOfURL(u, params, mostEscapes)
	slices.Sort(all)
	return all
}

func secretsOfURL(u *url.URL, params []string, depth int) []string {
	var all []string
	if password, _ := u.User.Password(); password != "" {
		all = append(all, password, u.User.Username()+":"+password)
	} else if u.User != nil {
		all = append(all, u.User.Username())
	}
	for p := range parametersOf(u.RawQuery) {
		all = append(all, p.secrets(params, depth)...)
	}
	return all
}

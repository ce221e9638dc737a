package module

import (
	"encoding/base64"
	"encoding/json"
	"net/textproto"
	"net/url"
	"slices"
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
	replacer *strings.Replacer
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
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, Masked)
	}
	return &Mask{secrets: all, replacer: strings.NewReplacer(pairs...)}
}

// Text is a text without the secrets.
func (k *Mask) Text(text string) string {
	if k == nil {
		return text
	}
	return k.replacer.Replace(text)
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

// spellings are the forms in which a secret may come back: as it is, percent-encoded, as JSON has it, in base64, and as
// a header's name.
func spellings(secret string) []string {
	quoted, _ := json.Marshal(secret) // every text is a JSON text
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		strings.ToLower(secret), strings.ToUpper(secret), textproto.CanonicalMIMEHeaderKey(secret),
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SecretsOfURL are a URL's password, with its user for basic authentication, and the values of its secret parameters.
func SecretsOfURL(u *url.URL, params []string) []string {
	var all []string
	if password, ok := u.User.Password(); ok && password != "" {
		all = append(all, password, u.User.Username()+":"+password)
	}
	if u.RawQuery == "" {
		return all
	}
	for name, values := range u.Query() {
		if SoundsSecret(name) || slices.Contains(params, name) {
			all = append(all, values...)
		}
	}
	slices.Sort(all)
	return all
}

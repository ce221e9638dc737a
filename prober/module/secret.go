package module

import (
	"net/url"
	"slices"
	"strings"
)

func Shortened(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// Masked stands for a value that is not shown.
const Masked = "<hidden>"

// SoundsSecret reports whether a header's or parameter's name may hold a credential. WWW-Authenticate and
// Proxy-Authenticate do not: they say which credentials are wanted.
func SoundsSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "-authenticate") {
		return false
	}
	words := []string{"auth", "cookie", "token", "secret", "key", "password", "passwd", "session", "signature",
		"credential"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// MaskURL masks the values of parameters whose names sound secret, or are given.
func MaskURL(u *url.URL, names []string) string {
	if u.User == nil && u.RawQuery == "" && u.Opaque == "" && u.Fragment == "" {
		return u.String()
	}
	shown := *u
	shown.User = nil
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		name, _, found := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); found &&
			(err != nil || SoundsSecret(plain) || slices.Contains(names, plain)) {
			pairs[i] = name + "=" + Masked
		}
	}
	shown.RawQuery = strings.Join(pairs, "&")
	if strings.Contains(shown.Opaque, "@") {
		shown.Opaque = Masked
	}
	if SoundsSecret(shown.Fragment) || slices.ContainsFunc(names,
		func(name string) bool { return strings.Contains(shown.Fragment, name+"=") }) {
		shown.Fragment, shown.RawFragment = Masked, ""
	}
	return shown.String()
}

// WithoutSecrets is what of a text that may not even be a URL can be repeated in an error: no userinfo, and nothing
// from the query on.
func WithoutSecrets(raw string) string {
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i] + raw[i:i+1] + "…"
	}
	start := 0
	if i := strings.Index(raw, "://"); i >= 0 {
		start = i + len("://")
	}
	end := len(raw)
	if i := strings.IndexAny(raw[start:], "/?#"); i >= 0 {
		end = start + i
	}
	at := strings.LastIndex(raw[start:end], "@")
	if at < 0 {
		return raw
	}
	return raw[:start] + raw[start+at+1:]
}

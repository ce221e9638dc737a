package config

import (
	"net/url"
	"slices"
	"strings"
)

// Masked stands for a value that is not shown.
const Masked = "<hidden>"

// SoundsSecret reports whether a header's or parameter's name may hold a credential. WWW-Authenticate and Proxy-Authenticate
// do not: they say which credentials are wanted.
func SoundsSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "-authenticate") {
		return false
	}
	words := []string{"auth", "cookie", "token", "secret", "key", "password", "passwd", "session", "signature", "credential"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// MaskURL is a URL without userinfo and without the values of parameters that may be credentials.
func MaskURL(u *url.URL) string {
	shown := *u
	shown.User = nil
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		name, _, found := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); found && (err != nil || SoundsSecret(plain)) {
			pairs[i] = name + "=" + Masked
		}
	}
	shown.RawQuery = strings.Join(pairs, "&")
	if strings.Contains(shown.Opaque, "@") {
		shown.Opaque = Masked
	}
	if SoundsSecret(shown.Fragment) {
		shown.Fragment, shown.RawFragment = Masked, ""
	}
	return shown.String()
}

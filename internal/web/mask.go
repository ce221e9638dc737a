package web

import (
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"errno_exporter/config"
)

// What is shown of requests and responses. Nothing that may be a credential is: not userinfo, not the value of a header or a
// query parameter whose name sounds like one, and of the request not the value of any header that the module did not write
// in the clear, under headers.

// masked stands for a value that is not shown.
const masked = "<hidden>"

// soundsSecret reports whether a header's or parameter's name may hold a credential. WWW-Authenticate and Proxy-Authenticate
// do not: they say which credentials are wanted.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "-authenticate") {
		return false
	}
	words := []string{"auth", "cookie", "token", "secret", "key", "password", "passwd", "session", "signature", "credential"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// requestValue is what is shown of a request header's value. Those the program writes itself hold no secret.
func requestValue(name, value string, m *config.Module) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host", "User-Agent":
		return value
	case "Referer":
		return maskLink(value)
	}
	if soundsSecret(name) || !slices.Contains(m.Header.Values(name), value) {
		return masked
	}
	return value
}

// responseValue is what is shown of a response header's value.
func responseValue(name, value string) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Location", "Content-Location":
		return maskLink(value)
	}
	if soundsSecret(name) {
		return masked
	}
	return value
}

// maskLink masks a URL in a header; one that does not parse is shown up to its query.
func maskLink(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		path, _, _ := strings.Cut(link, "?")
		if strings.Contains(path, "@") {
			return masked
		}
		return path
	}
	return maskURL(u)
}

// maskURL is a URL without userinfo and without the values of parameters that may be credentials.
func maskURL(u *url.URL) string {
	shown := *u
	shown.User = nil
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		name, _, found := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); found && (err != nil || soundsSecret(plain)) {
			pairs[i] = name + "=" + masked
		}
	}
	shown.RawQuery = strings.Join(pairs, "&")
	if strings.Contains(shown.Opaque, "@") {
		shown.Opaque = masked
	}
	if soundsSecret(shown.Fragment) {
		shown.Fragment, shown.RawFragment = masked, ""
	}
	return shown.String()
}

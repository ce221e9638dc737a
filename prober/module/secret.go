package module

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	if slices.Contains([]string{"sig", "sid", "pass", "pwd", "jwt", "otp"}, name) {
		return true
	}
	words := []string{"auth", "cookie", "token", "secret", "key", "password", "passwd", "passphrase", "session",
		"signature", "credential", "bearer", "hmac"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// MaskURL masks the values of parameters whose names sound secret, or are given.
func MaskURL(u *url.URL, names []string) string {
	if u.User == nil && u.RawQuery == "" && u.Opaque == "" && u.Fragment == "" {
		return u.String()
	}
	shown := *u
	shown.User = nil
	var query strings.Builder
	for p := range parametersOf(u.RawQuery) {
		if p.secret(names, mostEscapes) {
			p.value = Masked
		}
		query.WriteString(p.name + p.equals + p.value + p.end)
	}
	shown.RawQuery = query.String()
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

// Bounds of the secrets that a module remembers besides those of its configuration.
const (
	maxSent      = 16       // the present ones and some before them
	maxSentBytes = 16 << 10 // of all
)

// Sent are the secrets that a module's requests had recently and that its configuration does not spell out: OAuth2
// tokens, and what was read from files that have changed. The server may return one later, to a request that does not
// have it, or before there is a request: in a certificate. The zero value is ready for use.
type Sent struct {
	mu     sync.Mutex // guards what follows
	recent []string   // the last ones, oldest first
	mask   *Mask      // of the configuration and of these; nil before the first
}

// add remembers the secrets of a request.
func (s *Sent) add(configured *Mask, secrets []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := len(s.recent)
	for _, secret := range secrets {
		if len(secret) <= maxSentBytes && !slices.Contains(s.recent, secret) &&
			configured.With(secret) != configured {
			s.recent = append(s.recent, secret)
		}
	}
	if len(s.recent) == known {
		return
	}
	for len(s.recent) > maxSent || bytesOf(s.recent) > maxSentBytes {
		s.recent = s.recent[1:]
	}
	s.recent = slices.Clone(s.recent)
	s.mask = configured.With(s.recent...)
}

func bytesOf(texts []string) (sum int) {
	for _, text := range texts {
		sum += len(text)
	}
	return sum
}

// Secrets is the mask of all secrets that the module knows: those of its configuration, and those that its requests
// had recently. It is nil if there are none.
func (m *Module) Secrets() *Mask {
	if m.Sent == nil {
		return m.Mask
	}
	m.Sent.mu.Lock()
	defer m.Sent.mu.Unlock()
	if m.Sent.mask == nil {
		return m.Mask
	}
	return m.Sent.mask
}

// remember keeps in mind what authorize has added to a request.
func (m *Module) remember(before, after *http.Request) {
	if m.Sent == nil {
		return
	}
	added := http.Header{}
	for name, values := range after.Header {
		if !slices.Equal(values, before.Header[name]) {
			added[name] = values
		}
	}
	m.Sent.add(m.Mask, m.secretHeaders(added))
}

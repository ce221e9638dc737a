package record

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"errno_exporter/config"
	"errno_exporter/internal/escape"
	"errno_exporter/prober"
)

// Curl is a command that repeats the request of a hop with curl, to the same address. Secrets are masked: who runs it puts them in.
func Curl(r *prober.Result, h *prober.Hop, m *config.Module) string {
	words := []string{"curl", "-sv", "-o", "/dev/null", "--max-time", fmt.Sprintf("%.3g", r.Timeout.Seconds())}
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	if h.Proxy != "" {
		words = append(words, "--proxy", h.Proxy)
	} else if _, err := netip.ParseAddr(u.Hostname()); err != nil && h.Addr.IsValid() && h.Addr.Port() != 0 {
		words = append(words, "--resolve", fmt.Sprintf("%s:%d:%s", u.Hostname(), h.Addr.Port(), h.Addr.Addr()))
	}
	switch {
	case m.EnableHTTP3:
		words = append(words, "--http3-only")
	case h.TLS != nil && h.TLS.ALPN == "h2":
		words = append(words, "--http2")
	default:
		words = append(words, "--http1.1")
	}
	if h.Request != nil {
		words = append(words, requestWords(h, u, m)...)
	}
	if strings.ContainsAny(strings.Replace(h.URL, u.Host, "", 1), "[]{}") {
		words = append(words, "-g") // curl would make a request of each combination (curl(1), --globoff)
	}
	words = append(words, h.URL)
	for i, word := range words {
		words[i] = quoted(word)
	}
	return strings.Join(words, " ")
}

// requestWords are the options that make the request what it was.
func requestWords(h *prober.Hop, u *url.URL, m *config.Module) []string {
	var words []string
	if h.Request.Method == "HEAD" {
		words = append(words, "-I")
	} else if h.Request.Method != "GET" {
		words = append(words, "-X", h.Request.Method)
	}
	if h.Request.Host != "" && h.Request.Host != u.Host {
		words = append(words, "-H", "Host: "+h.Request.Host)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Request.Header)) {
		if name == prober.ProbeHeader {
			continue // who repeats the request is no exporter
		}
		for _, value := range h.Request.Header[name] {
			words = append(words, "-H", name+": "+requestValue(name, value, m))
		}
	}
	if h.Request.Body > 0 {
		words = append(words, "--data-binary", "@BODY")
	}
	return words
}

// quoted is a word as a POSIX shell takes it, on one line that drives no terminal. In single quotes nothing has a meaning (POSIX.1-2024, XCU 2.2.2),
// not even a history expansion of bash. What is not printable is an octal escape of printf, whose output the shell puts in its place.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,=+") == "" {
		return word
	}
	if isPrintable(word) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var octal strings.Builder
	for i := range len(word) {
		if c := word[i]; c > ' ' && c < 0x7f && c != '\'' && c != '\\' && c != '%' {
			octal.WriteByte(c)
		} else {
			fmt.Fprintf(&octal, `\%03o`, c)
		}
	}
	return `"$(printf '` + octal.String() + `')"`
}

// isPrintable reports whether a text can stand on a line as it is.
func isPrintable(text string) bool { return escape.Label(text) == text }

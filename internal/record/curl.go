package record

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"errno_exporter/internal/escape"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Curl is a command that repeats the request of a hop with curl: to the same address, with the same offer of protocols,
// the same authorities and client certificate, and the same header. Secrets are masked: who runs it puts them in.
func Curl(r *result.Result, h *result.Hop, m *module.Module) string {
	m = m.Shown()
	words := []string{"curl", "-sv", "-o", "/dev/null", "--max-time", fmt.Sprintf("%.3g", r.Timeout.Seconds())}
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	host, dialled := u.Host, h.Addr.IsValid() && h.Addr.Port() != 0
	if name := serverName(h, m); h.Proxy == "" && dialled && u.Scheme == "https" && name != "" && name != u.Hostname() {
		// curl has no option for the server name alone: the name is in the URL, and the host in its header
		u.Host = net.JoinHostPort(name, strconv.Itoa(int(h.Addr.Port())))
	}
	if h.Proxy != "" {
		words = append(words, "--proxy", h.Proxy)
	} else if _, err := netip.ParseAddr(u.Hostname()); err != nil && dialled {
		words = append(words, "--resolve", fmt.Sprintf("%s:%d:%s", u.Hostname(), h.Addr.Port(), h.Addr.Addr()))
	}
	if m.SourceIP.IsValid() {
		words = append(words, "--interface", m.SourceIP.String())
	}
	words = append(words, protocol(u, m))
	if u.Scheme == "https" {
		words = append(words, handshakeWords(m)...)
	}
	if h.Request != nil {
		words = append(words, requestWords(h, u, m)...)
	}
	to := h.URL
	if u.Host != host {
		to = strings.Replace(to, "://"+host, "://"+u.Host, 1)
		if h.Request == nil {
			words = append(words, "-H", "Host: "+host)
		}
	}
	if strings.ContainsAny(to, "[]{}") {
		words = append(words, "-g") // curl would make a request of each combination (curl(1), --globoff)
	}
	return commandLine(append(words, to)...)
}

// serverName is the one that the handshake names, or would have.
func serverName(h *result.Hop, m *module.Module) string {
	if h.TLS != nil {
		return h.TLS.ServerName
	}
	return m.Handshake.ServerName
}

// protocol is the option by which curl offers what the probe offered.
func protocol(u *url.URL, m *module.Module) string {
	switch {
	case m.EnableHTTP3:
		return "--http3-only"
	case m.EnableHTTP2 && u.Scheme == "https":
		return "--http2"
	}
	return "--http1.1"
}

// handshakeWords are the options of TLS: whom to trust, as whom to speak, which versions.
func handshakeWords(m *module.Module) []string {
	var words []string
	for _, file := range []struct{ option, name string }{
		{"--cacert", m.Handshake.CA}, {"--cert", m.Handshake.Certificate}, {"--key", m.Handshake.Key},
	} {
		if file.name != "" {
			words = append(words, file.option, file.name)
		}
	}
	if m.Handshake.Insecure {
		words = append(words, "-k")
	}
	if v := m.Handshake.MinVersion; v >= tls.VersionTLS10 {
		words = append(words, fmt.Sprintf("--tlsv1.%d", v-tls.VersionTLS10))
	}
	if v := m.Handshake.MaxVersion; v >= tls.VersionTLS10 {
		words = append(words, "--tls-max", fmt.Sprintf("1.%d", v-tls.VersionTLS10))
	}
	return words
}

// requestWords are the options that make the request what it was.
func requestWords(h *result.Hop, u *url.URL, m *module.Module) []string {
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
		if name == prober.ProbeHeader || name == "Content-Length" {
			continue // who repeats the request is no exporter; curl counts the bytes itself
		}
		for _, value := range h.Request.Header[name] {
			words = append(words, "-H", headerWord(name, requestValue(name, value, m)))
		}
	}
	added := []string{"Accept", "User-Agent"} // by curl, where the request has none
	if h.Request.Body > 0 {
		words = append(words, "--data-binary", "@"+cmp.Or(m.BodyFile, "BODY"))
		added = append(added, "Content-Type", "Expect")
	}
	for _, name := range added {
		if len(h.Request.Header[name]) == 0 {
			words = append(words, "-H", name+":")
		}
	}
	return words
}

// headerWord is a header for curl, which removes a header that ends with the colon (curl(1), --header).
func headerWord(name, value string) string {
	if value == "" {
		return name + ";"
	}
	return name + ": " + value
}

// commandLine is a command as a POSIX shell takes it, on one line of printable text. A word that is not printable
// cannot be on it as it is, and a command substitution of the word would lose the line feeds at its end (POSIX.1-2024,
// XCU 2.6.3). So the substitution makes the whole command, whose words are in single quotes, and eval runs it.
func commandLine(words ...string) string {
	command := make([]string, len(words))
	for i, word := range words {
		command[i] = quoted(word)
	}
	line := strings.Join(command, " ")
	if escape.Label(line) == line {
		return line
	}
	return `eval "$(printf '` + octal(line) + `')"`
}

// quoted is a word as a POSIX shell takes it: in single quotes nothing has a meaning (POSIX.1-2024, XCU 2.2.2), not
// even bash's history expansion.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,=+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// octal is a format from which printf makes a text, for single quotes within double quotes. There bash expands history,
// so that ! is escaped too.
func octal(text string) string {
	var format strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c < 0x7f && !strings.ContainsRune(`'\%!`, rune(c)) {
			format.WriteByte(c)
		} else {
			fmt.Fprintf(&format, `\%03o`, c)
		}
	}
	return format.String()
}

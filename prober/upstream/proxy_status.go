package upstream

import (
	"slices"
	"strings"

	"errno_exporter/prober/result"
)

// maxField bounds the Proxy-Status field that is parsed, in bytes; a longer one is ignored, as a malformed one is (RFC
// 9651 section 4.2).
const maxField = 4 << 10

// proxyStatus reads Proxy-Status (RFC 9209): a list of intermediaries, the one nearest to the origin first, whose
// parameter error names what failed. The first with an error is where the failure began.
func proxyStatus(fields []string) *result.Upstream {
	length := 0
	for _, field := range fields {
		if length += len(field) + len(", "); length > maxField {
			return nil
		}
	}
	p := parser{rest: strings.Join(fields, ", ")} // RFC 9651 section 4.2: several lines are one list
	var first *result.Upstream
	for p.skip(); p.rest != ""; {
		name, failed, ok := p.member()
		if !ok {
			return nil
		}
		if failed != "" && first == nil {
			first = &result.Upstream{Reason: knownReason(failed), By: byName(name)}
		}
		p.blanks()
		if p.rest == "" {
			return first
		}
		if !p.take(',') {
			return nil
		}
		if p.blanks(); p.rest == "" { // RFC 9651 section 4.2.1: a trailing comma is an error
			return nil
		}
	}
	return first
}

func knownReason(name string) result.UpstreamReason {
	for _, r := range result.UpstreamReasons {
		if string(r.Reason) == name {
			return r.Reason
		}
	}
	return result.UpstreamUnknown
}

// byName finds the gateway by what it calls itself.
func byName(name string) result.Gateway {
	name = strings.ToLower(name)
	for _, g := range []struct {
		mark string
		by   result.Gateway
	}{
		{"cloudflare", result.ByCloudflare}, {"cloudfront", result.ByCloudFront}, {"envoy", result.ByEnvoy},
		{"fastly", result.ByFastly}, {"google", result.ByGoogle}, {"gfe", result.ByGoogle},
		{"haproxy", result.ByHAProxy}, {"nginx", result.ByNginx}, {"squid", result.BySquid},
		{"varnish", result.ByVarnish}, {"apache", result.ByApache}, {"azure", result.ByAzure},
	} {
		if strings.Contains(name, g.mark) {
			return g.by
		}
	}
	return result.ByOther
}

// parser reads structured fields (RFC 9651 section 4.2). Its methods report false for what is malformed.
type parser struct{ rest string }

func (p *parser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// skip passes over spaces, blanks over spaces and tabs.
func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " ") }

func (p *parser) blanks() { p.rest = strings.TrimLeft(p.rest, " \t") }

// member reads an item with its parameters: the name of an intermediary, and its parameter error, empty for none.
func (p *parser) member() (name, failed string, ok bool) {
	if name, ok = p.item(); !ok {
		return "", "", false
	}
	for p.take(';') {
		p.skip()
		key, ok := p.key()
		if !ok {
			return "", "", false
		}
		value := ""
		if p.take('=') {
			if value, ok = p.item(); !ok {
				return "", "", false
			}
		}
		if key == "error" {
			failed = value // of two the last counts (section 4.2.3.2)
		}
	}
	return name, failed, true
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// run takes the longest beginning that has only certain characters.
func (p *parser) run(of string) string {
	n := strings.IndexFunc(p.rest, func(c rune) bool { return !strings.ContainsRune(of, c) })
	if n < 0 {
		n = len(p.rest)
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) key() (string, bool) {
	if p.rest == "" || !strings.Contains(lower+"*", p.rest[:1]) {
		return "", false
	}
	return p.run(lower + digits + "_-.*"), true
}

// item reads a bare item; of numbers, booleans, dates and byte sequences only that they are well-formed matters.
func (p *parser) item() (string, bool) {
	if p.rest == "" {
		return "", false
	}
	switch c := p.rest[0]; {
	case c == '"':
		p.rest = p.rest[1:]
		return p.quoted()
	case c == '*' || strings.IndexByte(upper+lower, c) >= 0:
		return p.run(upper + lower + digits + "!#$%&'*+-.^_`|~:/"), true
	case c == '-' || strings.IndexByte(digits, c) >= 0:
		p.take('-')
		number := p.run(digits + ".")
		return "", number != "" && number[0] != '.' && !strings.HasSuffix(number, ".") &&
			strings.Count(number, ".") <= 1
	case c == '@': // a date
		p.rest = p.rest[1:]
		p.take('-')
		return "", p.run(digits) != ""
	case c == '?':
		p.rest = p.rest[1:]
		return "", p.take('0') || p.take('1')
	case c == ':':
		p.rest = p.rest[1:]
		p.run(upper + lower + digits + "+/=")
		return "", p.take(':')
	case strings.HasPrefix(p.rest, `%"`): // a display string
		p.rest = p.rest[2:]
		return p.quoted()
	}
	return "", false
}

// quoted reads a string whose opening quote was read.
func (p *parser) quoted() (string, bool) {
	var text []byte
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\':
			if i++; i == len(p.rest) || !slices.Contains([]byte(`"\`), p.rest[i]) {
				return "", false
			}
			text = append(text, p.rest[i])
		case c == '"':
			p.rest = p.rest[i+1:]
			return string(text), true
		case c < ' ' || c > '~':
			return "", false
		default:
			text = append(text, c)
		}
	}
	return "", false
}

package module

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Bounds of a name (RFC 1035 section 2.3.4): of one label, and of the whole in text, without the dot at its end.
const (
	maxLabel    = 63
	maxHostName = 253
)

// ASCIIHost is the host as DNS and TLS see it: an address literal as it is, a name in its ASCII form (RFC 5891). It is
// the one check of hosts, wherever one is read. Some characters that look like a name are removed on the way to that
// form, U+00AD and U+200B among them, so that the ASCII form is what has to be a name.
func ASCIIHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if strings.ContainsFunc(addr.Zone(), impossible) {
			return "", fmt.Errorf("host %q has a zone that is no interface's name", Shortened(host))
		}
		return host, nil
	}
	ascii := host
	if !isASCII(host) {
		var err error
		if ascii, err = idna.Lookup.ToASCII(host); err != nil {
			return "", fmt.Errorf("host %q is not a valid internationalised name: %w", Shortened(host), err)
		}
	}
	if _, err := netip.ParseAddr(ascii); err == nil {
		return ascii, nil
	}
	if err := checkASCIIName(ascii); err != nil {
		return "", fmt.Errorf("host %q %w", Shortened(host), err)
	}
	return ascii, nil
}

// ResolvableHost is ASCIIHost, and refuses what no DNS message can carry (RFC 1035 section 2.3.4). The configuration
// refuses such a host; one that /probe or a redirect names is a probe that fails in the phase resolve, with the reason
// probe.config.
func ResolvableHost(host string) (string, error) {
	ascii, err := ASCIIHost(host)
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(ascii); err == nil {
		return ascii, nil
	}
	name := strings.TrimSuffix(ascii, ".")
	if len(name) > maxHostName {
		return "", fmt.Errorf("host %q has %d bytes as a name in DNS, want at most %d", Shortened(host), len(name),
			maxHostName)
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) > maxLabel {
			return "", fmt.Errorf("host %q has a label of %d bytes, want at most %d", Shortened(host), len(label),
				maxLabel)
		}
	}
	return ascii, nil
}

// CheckEndpoint is CheckURL for a URL of the configuration.
func CheckEndpoint(u *url.URL) error {
	if err := CheckURL(u); err != nil {
		return err
	}
	_, err := ResolvableHost(u.Hostname())
	return err
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// checkASCIIName checks a name's form. Underscores and the like are left to the resolver: DNS itself takes any byte
// (RFC 2181 section 11).
func checkASCIIName(name string) error {
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return errors.New("is empty as a name in DNS, want a name such as api.example.com")
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return errors.New("has an empty label, want a name such as api.example.com")
	}
	if strings.ContainsFunc(name, impossible) {
		return errors.New("has a character that no name can have")
	}
	return nil
}

// impossible reports whether a character separates hosts from other parts of a URL or of a request, or is not
// printable.
func impossible(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("/?#@[]:\\%<>\"", r)
}

// CheckHostPort checks a host with or without a port, such as the header Host has.
func CheckHostPort(host string) error {
	name := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if alone, port, err := net.SplitHostPort(host); err == nil {
		if name = alone; port != "" && !validPort(port) {
			return fmt.Errorf("port %q is out of range, want 1 to 65535", Shortened(port))
		}
	}
	_, err := ResolvableHost(name)
	return err
}

// SpeltIPv4 is the IPv4 address that inet_aton(3), and a URL parser of browsers, reads in a host: with fewer parts than
// four, in octal or hexadecimal, or with a dot at its end. Go takes such a host for a name; a proxy may not.
func SpeltIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var address uint64
	for i, part := range parts {
		number, err := speltNumber(part)
		room := 8
		if i == len(parts)-1 {
			room = 8 * (5 - len(parts))
		}
		if err != nil || number >= 1<<room {
			return netip.Addr{}, false
		}
		address = address<<room | number
	}
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], uint32(address))
	return netip.AddrFrom4(bytes), true
}

// speltNumber reads a number of at most 32 bits as C does: 0x begins a hexadecimal one, 0 an octal one.
func speltNumber(text string) (uint64, error) {
	if digits, found := strings.CutPrefix(strings.ToLower(text), "0x"); found {
		return strconv.ParseUint("0"+digits, 16, 32)
	}
	if len(text) > 1 && text[0] == '0' {
		return strconv.ParseUint(text, 8, 32)
	}
	return strconv.ParseUint(text, 10, 32)
}

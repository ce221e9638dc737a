package module

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL bounds URLs in bytes, as they are sent: those to probe and those of redirects. RFC 9110 section 4.1 asks for
// at least 8,000.
const maxURL = 8 << 10

// ParseURL reads the URL of something to probe: http:// where no scheme is given, as in blackbox_exporter. The error
// says what to do.
func ParseURL(raw string) (*url.URL, error) {
	if err := checkLength(len(raw)); err != nil {
		return nil, err
	}
	full := raw
	if !hasScheme(raw) {
		full = "http://" + raw
	}
	u, err := url.Parse(full)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL: %w", WithoutSecrets(raw), unlikeURL(raw, err))
	}
	if err := checkLength(len(u.String())); err != nil {
		return nil, err // without the URL itself
	}
	if err := CheckURL(u); err != nil {
		return nil, fmt.Errorf("%q: %w", WithoutSecrets(raw), err)
	}
	return u, nil
}

// unlikeURL says what keeps a text from being a URL.
func unlikeURL(raw string, err error) error {
	if reason, ok := errors.AsType[*url.Error](err); ok {
		err = reason.Err
	}
	switch addr, notAddr := netip.ParseAddr(raw); {
	case notAddr == nil && addr.Is6():
		return fmt.Errorf("write an IPv6 address in brackets, as in [%s]", addr)
	case strings.TrimSpace(raw) != raw:
		return errors.New("remove the space around it")
	}
	return err
}

func checkLength(length int) error {
	if length > maxURL {
		return fmt.Errorf("is %d bytes long, want at most %d", length, maxURL)
	}
	return nil
}

// hasScheme distinguishes "https://x" and "ftp://x" from "host:port/path".
func hasScheme(raw string) bool {
	scheme, _, found := strings.Cut(raw, "://")
	return found && !strings.ContainsAny(scheme, "/?#")
}

// CheckURL holds what every hop's URL must satisfy, the asked one's and a redirect's alike.
func CheckURL(u *url.URL) error {
	if err := checkLength(len(u.String())); err != nil {
		return fmt.Errorf("URL %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("scheme %q is not supported, want http or https", u.Scheme)
	}
	host := u.Hostname()
	if host == "" {
		return errors.New("host is missing, want http://HOST[:PORT]/PATH")
	}
	if port := u.Port(); port != "" && !validPort(port) {
		return fmt.Errorf("port %q is out of range, want 1 to 65535", port)
	}
	ascii, err := ASCIIHost(host)
	if err != nil {
		return err
	}
	switch addr, err := netip.ParseAddr(ascii); {
	case err != nil:
	case addr.Unmap().IsUnspecified():
		return fmt.Errorf("address %q means this host itself, name the address to probe", host)
	case !IsHost(addr):
		return fmt.Errorf("address %q is no host's (multicast or broadcast), name the address to probe", host)
	}
	return nil
}

// IsHost reports whether an address may be a host's: it is neither unspecified, to which Linux connects as to itself,
// nor multicast nor the limited broadcast address (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2).
func IsHost(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsValid() && !addr.IsUnspecified() && !addr.IsMulticast() &&
		addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func validPort(port string) bool {
	n := 0
	for _, c := range port {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
		if n > 65535 {
			return false
		}
	}
	return n > 0
}

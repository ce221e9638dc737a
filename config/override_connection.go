package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"errno_exporter/config/file"
	"errno_exporter/prober/module"
)

// Connection is how a person at a terminal wants a target reached, where that is not as the module says. What is empty
// or false leaves it to the module.
type Connection struct {
	IPv4, IPv6          bool   // -4, -6
	Proxy               string // -x
	Insecure            bool   // -k
	CACert              string // --cacert: a file
	HTTP1, HTTP2, HTTP3 bool   // --http1.1, --http2, --http3
	Location            bool   // -L, if HasLocation
	HasLocation         bool
	User                string // -u: "user:password", which the caller adds to the URL
}

// apply changes a copy of a module. The error names the option.
func (c *Connection) apply(m *module.Module) error {
	if c.IPv4 && c.IPv6 {
		return errors.New("-4 and -6 exclude each other")
	}
	if c.IPv4 || c.IPv6 {
		m.PreferIPv6, m.IPProtocolFallback = c.IPv6, false
	}
	if c.HasLocation {
		m.FollowRedirects = c.Location
	}
	if c.User != "" { // the prober has it from the URL, unless the module adds its own
		m.Credentials = nil
		m.Header.Del("Authorization")
	}
	if err := c.secure(m); err != nil {
		return err
	}
	if c.Proxy != "" {
		if err := c.throughProxy(m); err != nil {
			return fmt.Errorf("-x%w", err)
		}
	}
	if m.AllAddresses && m.Proxy != nil {
		return errors.New("--all-addresses cannot be combined with a proxy, which chooses the address itself: remove one")
	}
	return c.speak(m)
}

// secure changes how the target's certificate is verified.
func (c *Connection) secure(m *module.Module) error {
	if !c.Insecure && c.CACert == "" {
		return nil
	}
	m.TLS = m.TLS.Clone()
	m.TLS.InsecureSkipVerify = m.TLS.InsecureSkipVerify || c.Insecure
	if c.CACert == "" {
		return nil
	}
	pem, err := file.Read(c.CACert)
	if err != nil {
		return fmt.Errorf("--cacert %s: %w", c.CACert, err)
	}
	m.TLS.RootCAs = x509.NewCertPool()
	if !m.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("--cacert %s: the file has no certificate in PEM", c.CACert)
	}
	return nil
}

// throughProxy sets the proxy; http:// where no scheme is given, as in curl.
func (c *Connection) throughProxy(m *module.Module) error {
	raw := c.Proxy
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New(": not a URL, want one such as http://proxy.example.com:3128")
	}
	if err := checkProxy(u); err != nil {
		return err
	}
	m.Proxy = http.ProxyURL(u)
	m.SkipResolve = u.Scheme != "socks5" // as in curl: the proxy resolves the target's name, which may not exist here
	m.ProxyConnectHeader = nil           // which may have the password of the module's proxy
	m.Mask = m.Mask.With(module.SecretsOfURL(u, nil)...)
	return nil
}

// speak changes the version of HTTP, and what TLS offers of them.
func (c *Connection) speak(m *module.Module) error {
	chosen := 0
	for _, version := range []struct {
		wanted, http2, http3 bool
		offered              []string
	}{
		{c.HTTP1, false, false, []string{"http/1.1"}},
		{c.HTTP2, true, false, []string{"h2", "http/1.1"}},
		{c.HTTP3, false, true, []string{"h3"}},
	} {
		if !version.wanted {
			continue
		}
		chosen++
		m.EnableHTTP2, m.EnableHTTP3 = version.http2, version.http3
		m.TLS = m.TLS.Clone()
		m.TLS.NextProtos = version.offered
	}
	switch {
	case chosen > 1:
		return errors.New("--http1.1, --http2 and --http3 exclude each other")
	case !m.EnableHTTP3:
		return nil
	case m.Proxy != nil:
		return errors.New("HTTP/3 cannot go through a proxy, which has no way for QUIC: remove --http3, or the proxy")
	case m.TLS.MaxVersion != 0 && m.TLS.MaxVersion < tls.VersionTLS13:
		return errors.New("HTTP/3 needs TLS 1.3, which the module's tls_config max_version excludes: remove --http3")
	}
	return nil
}

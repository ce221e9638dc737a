package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// proxyURL reads the proxy of a module.
func (h *httpKeys) proxyURL(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "" {
		return nil
	}
	u, err := h.withScheme(node)
	if err != nil || node.Kind != yaml.ScalarNode {
		return placedError{h.place.errorAt(node, "proxy_url is not a URL, want one such as "+
			"http://proxy.example.com:3128")}
	}
	if err := checkProxy(u); err != nil {
		return placedError{h.place.errorAt(node, "proxy_url%w", err)}
	}
	h.client.ProxyURL = promconfig.URL{URL: u}
	return nil
}

// checkProxy checks a proxy's URL. The error continues its name.
func checkProxy(u *url.URL) error {
	if strings.Contains(u.Opaque, "@") { // which url.Redacted shows
		return errors.New(" is not a URL, want one such as http://proxy.example.com:3128")
	}
	if !slices.Contains(proxySchemes, u.Scheme) || u.Hostname() == "" {
		return fmt.Errorf(" %q: want SCHEME://HOST:PORT with one of the schemes %s", u.Redacted(),
			strings.Join(proxySchemes, ", "))
	}
	if err := module.CheckHostPort(u.Host); err != nil {
		return fmt.Errorf(": %w", err)
	}
	return nil
}

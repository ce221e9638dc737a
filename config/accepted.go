package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// What blackbox_exporter accepts is accepted. A value that is probably not what was meant gets a warning that says what
// was; one that makes every probe fail is a mistake, and an error.

// unlessNull makes a key without a value, as templates leave it, the same as no key.
func unlessNull(keys map[string]key) map[string]key {
	for name, read := range keys {
		keys[name] = func(value *yaml.Node) error {
			if isNull(value) {
				return nil
			}
			return read(value)
		}
	}
	return keys
}

// method reads the method. Methods are case-sensitive (RFC 9110 section 9.1), and are sent as they are written.
func (h *httpKeys) method(node *yaml.Node) error {
	method := ""
	if err := into(&method)(node); err != nil || method == "" {
		return err
	}
	if err := checkToken(method); err != nil {
		return err
	}
	if upper := strings.ToUpper(method); upper != method {
		h.place.warn(node, "method %q is sent as it is written, and methods are case-sensitive: did you mean %q?",
			module.Shortened(method), module.Shortened(upper))
	}
	h.Method = method
	return nil
}

// httpVersions reads the versions that a response may have. They are compared as net/http writes them.
func (h *httpKeys) httpVersions(node *yaml.Node) error {
	if err := into(&h.ValidHTTPVersions)(node); err != nil {
		return err
	}
	known := []string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}
	for _, v := range h.ValidHTTPVersions {
		if slices.Contains(known, v) {
			continue
		}
		number := strings.TrimLeft(strings.ToUpper(v), "HTP/ ")
		meant := slices.IndexFunc(known, func(k string) bool {
			return k == "HTTP/"+number || k == "HTTP/"+number+".0"
		})
		if meant < 0 {
			h.place.warn(node, "valid_http_versions %q never matches, want one of %s",
				module.Shortened(v), strings.Join(known, ", "))
		} else {
			h.place.warn(node, "valid_http_versions %q never matches: did you mean %q?", module.Shortened(v),
				known[meant])
		}
	}
	return nil
}

// checkVersions refuses HTTP/3.0 alone where HTTP/3 is off, and warns of other versions that no response of the module
// can have, which blackbox_exporter loads too.
func (h *httpKeys) checkVersions() error {
	wanted := func(version string) bool { return slices.Contains(h.ValidHTTPVersions, version) }
	older := wanted("HTTP/1.0") || wanted("HTTP/1.1")
	switch node := h.given["valid_http_versions"]; {
	case h.EnableHTTP3 && (older || wanted("HTTP/2.0")) && !wanted("HTTP/3.0"):
		h.place.warn(node, "every response fails: with enable_http3 the version is HTTP/3.0")
	case h.EnableHTTP3 || older:
	case wanted("HTTP/2.0") && !h.EnableHTTP2:
		h.place.warn(node, "every response fails: HTTP/2.0 needs enable_http2: true")
	case wanted("HTTP/3.0") && !slices.ContainsFunc(h.ValidHTTPVersions, func(v string) bool { return v != "HTTP/3.0" }):
		return errors.New("every response would fail: HTTP/3.0 needs enable_http3: true")
	}
	return nil
}

// ipProtocol reads preferred_ip_protocol, of which everything but ip6 means ip4.
func (h *httpKeys) ipProtocol(node *yaml.Node) error {
	preferred := ""
	if err := into(&preferred)(node); err != nil || preferred == "" {
		return err
	}
	if preferred != "ip4" && preferred != "ip6" {
		h.place.warn(node, "preferred_ip_protocol %q counts as ip4, as in blackbox_exporter: want ip4 or ip6",
			module.Shortened(preferred))
	}
	h.PreferIPv6 = preferred == "ip6"
	return nil
}

// compression reads the coding of the body, in any case.
func (h *httpKeys) compression(node *yaml.Node) error {
	coding := ""
	err := checked(&coding, checkCompression)(node)
	h.Compression = strings.ToLower(coding)
	return err
}

// withScheme is a proxy's URL, and http:// before one of the form host:port, with a warning.
func (h *httpKeys) withScheme(node *yaml.Node) (*url.URL, error) {
	u, err := url.Parse(node.Value)
	if err != nil {
		return nil, err
	}
	port := strings.Trim(u.Opaque, "0123456789") == "" && u.Opaque != "" // of localhost:3128
	if !port && (u.Scheme != "" || u.Host == "") {
		return u, nil
	}
	h.place.warn(node, "proxy_url has no scheme, http is used: want http://HOST:PORT")
	return url.Parse("http://" + strings.TrimPrefix(node.Value, "//"))
}

// other notes keys of other probers in a module of ours: blackbox_exporter's own dumps have them empty.
func other(p place, prober string) key {
	return func(node *yaml.Node) error {
		if !isNull(node) && len(node.Content) > 0 {
			p.warn(node, "%s is ignored: the module's prober is http", prober)
		}
		return nil
	}
}

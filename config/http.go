package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"
)

// httpKeys reads the keys under http: into a module, keeping what is only needed until the module is finished.
type httpKeys struct {
	*Module
	place     place
	dir       string
	bodyFile  string
	noFollow  *bool
	preferred string
	client    promconfig.HTTPClientConfig // tls_config, credentials and proxy, by the names that Prometheus' users know
}

// read reads the mapping under http:.
func (h *httpKeys) read(node *yaml.Node) error { return h.place.mapping(node, "http", h.keys()) }

// keys are the keys under http:, each with its reader.
func (h *httpKeys) keys() map[string]key {
	m, p := h.Module, h.place
	h.client.BasicAuth, h.client.Authorization = nil, nil
	return map[string]key{
		"method":                            checked(&m.Method, checkMethod),
		"headers":                           h.headers,
		"http_headers":                      h.httpHeaders,
		"body":                              h.body,
		"body_file":                         h.readBodyFile,
		"valid_status_codes":                checked(&m.ValidStatusCodes, checkStatusCodes),
		"valid_http_versions":               checked(&m.ValidHTTPVersions, checkHTTPVersions),
		"follow_redirects":                  into(&m.FollowRedirects),
		"no_follow_redirects":               func(v *yaml.Node) error { h.noFollow = new(bool); return into(h.noFollow)(v) },
		"fail_if_ssl":                       into(&m.FailIfSSL),
		"fail_if_not_ssl":                   into(&m.FailIfNotSSL),
		"fail_if_body_matches_regexp":       regexps(p, &m.FailIfBodyMatches),
		"fail_if_body_not_matches_regexp":   regexps(p, &m.FailIfBodyNotMatches),
		"fail_if_body_json_matches_cel":     expression(&m.FailIfBodyJSONMatches),
		"fail_if_body_json_not_matches_cel": expression(&m.FailIfBodyJSONNotMatches),
		"fail_if_header_matches":            headerMatches(p, &m.FailIfHeaderMatches),
		"fail_if_header_not_matches":        headerMatches(p, &m.FailIfHeaderNotMatches),
		"compression":                       checked(&m.Compression, checkCompression),
		"body_size_limit":                   byteSize(&m.BodySizeLimit),
		"preferred_ip_protocol":             checked(&h.preferred, checkIPProtocol),
		"ip_protocol_fallback":              into(&m.IPProtocolFallback),
		"skip_resolve_phase_with_proxy":     into(&m.SkipResolve),
		"enable_http2":                      into(&m.EnableHTTP2),
		"enable_http3":                      into(&m.EnableHTTP3),
		"source_ip_address":                 h.source,
		"tls_config":                        strictly(p, "tls_config", &h.client.TLSConfig),
		"basic_auth": func(v *yaml.Node) error {
			h.client.BasicAuth = new(promconfig.BasicAuth)
			return strictly(p, "basic_auth", h.client.BasicAuth)(v)
		},
		"authorization": func(v *yaml.Node) error {
			h.client.Authorization = new(promconfig.Authorization)
			return strictly(p, "authorization", h.client.Authorization)(v)
		},
		"oauth2":                 h.oauth2,
		"bearer_token":           secret(&h.client.BearerToken),
		"bearer_token_file":      into(&h.client.BearerTokenFile),
		"proxy_url":              h.proxyURL,
		"no_proxy":               into(&h.client.NoProxy),
		"proxy_from_environment": into(&h.client.ProxyFromEnvironment),
		"proxy_connect_header":   h.proxyConnectHeader,
	}
}

// finish checks what several keys decide together and builds what depends on the module alone.
func (h *httpKeys) finish(node *yaml.Node) error {
	m := h.Module
	switch {
	case h.noFollow != nil:
		m.FollowRedirects = !*h.noFollow
	}
	if h.preferred != "" {
		m.PreferIPv6 = h.preferred == "ip6"
	}
	if h.bodyFile != "" && m.Body != nil {
		return h.wrong(node, errors.New("body and body_file exclude each other: remove one"))
	}
	if h.bodyFile != "" {
		body, err := os.ReadFile(h.bodyFile)
		if err != nil {
			return h.wrong(node, fmt.Errorf("body_file: %w", err))
		}
		m.Body = body
	}
	if accepted := m.Header.Get("Accept-Encoding"); m.Compression != "" && accepted != "" && !accepts(accepted, m.Compression) {
		return h.wrong(node, fmt.Errorf("compression %q is not among the encodings of the header Accept-Encoding %q: make them agree", m.Compression, accepted))
	}
	if m.FailIfSSL && m.FailIfNotSSL {
		return h.wrong(node, errors.New("fail_if_ssl and fail_if_not_ssl exclude each other: every response would fail"))
	}
	if err := h.client.Validate(); err != nil {
		return h.wrong(node, err)
	}
	if err := h.checkHTTP3(); err != nil {
		return h.wrong(node, err)
	}
	if err := h.connections(); err != nil {
		return h.wrong(node, err)
	}
	return h.credentials(node)
}

// checkHTTP3 refuses what HTTP/3 cannot be combined with.
func (h *httpKeys) checkHTTP3() error {
	switch {
	case !h.EnableHTTP3:
		return nil
	case h.EnableHTTP2:
		return errors.New("enable_http3 speaks nothing but HTTP/3: set enable_http2: false")
	case h.client.ProxyURL.URL != nil || h.client.ProxyFromEnvironment:
		return errors.New("enable_http3 cannot go through a proxy: QUIC has no CONNECT here, remove proxy_url and proxy_from_environment")
	case h.FailIfSSL:
		return errors.New("enable_http3 and fail_if_ssl exclude each other: HTTP/3 is always over TLS")
	}
	return nil
}

func (h *httpKeys) wrong(node *yaml.Node, err error) error {
	return placedError{h.place.errorAt(node, "%w", err)}
}

// headers reads plain headers. Host is the request's Host and the TLS server name, not a header to be added.
func (h *httpKeys) headers(node *yaml.Node) error {
	var plain map[string]string
	if err := node.Decode(&plain); err != nil {
		return errors.New("want a mapping from header names to texts")
	}
	for name, value := range plain {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if err := checkHeader(name, value); err != nil {
			return err
		}
		if canonical == "Host" {
			h.Host = value
			continue
		}
		if _, twice := h.Header[canonical]; twice {
			return fmt.Errorf("%q stands twice in different spellings: remove one", canonical)
		}
		h.Header[canonical] = []string{value}
	}
	return nil
}

func checkHeader(name, value string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("%q is not a header name", name)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("the value of %q has a character that no header may have", name)
	}
	return nil
}

// httpHeaders reads headers with several values, secrets and files.
func (h *httpKeys) httpHeaders(node *yaml.Node) error {
	headers := &promconfig.Headers{Headers: map[string]promconfig.Header{}}
	keys := map[string]key{}
	if node.Kind != yaml.MappingNode {
		return errors.New("want a mapping from header names to {values, secrets, files}")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		keys[name] = func(value *yaml.Node) error {
			var header promconfig.Header
			if err := strictly(h.place, fmt.Sprintf("http_headers %q", name), &header)(value); err != nil {
				return err
			}
			for _, v := range header.Values {
				if err := checkHeader(name, v); err != nil {
					return err
				}
			}
			headers.Headers[name] = header
			return checkHeader(name, "")
		}
	}
	if err := h.place.mapping(node, "http_headers", keys); err != nil {
		return err
	}
	if err := headers.Validate(); err != nil {
		return fmt.Errorf("%w here: use headers, basic_auth or authorization", err)
	}
	h.client.HTTPHeaders = headers
	return nil
}

// oauth2 reads the credentials for tokens. Its token_url is checked here, since the first fetch is the first probe's.
func (h *httpKeys) oauth2(node *yaml.Node) error {
	c := new(promconfig.OAuth2)
	h.client.OAuth2 = c
	if err := strictly(h.place, "oauth2", c)(node); err != nil {
		return err
	}
	if u, err := url.Parse(c.TokenURL); c.TokenURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("token_url is not a URL, want one such as https://login.example.com/oauth2/token")
	}
	if c.GrantType != "" && c.GrantType != grantJWTBearer && c.GrantType != "client_credentials" {
		return fmt.Errorf("grant_type %q is not supported, want client_credentials or %s", c.GrantType, grantJWTBearer)
	}
	return c.ProxyConfig.Validate()
}

func (h *httpKeys) body(node *yaml.Node) error {
	var text string
	err := into(&text)(node)
	h.Body = []byte(text)
	return err
}

func (h *httpKeys) readBodyFile(node *yaml.Node) error {
	err := into(&h.bodyFile)(node)
	h.bodyFile = promconfig.JoinDir(h.dir, h.bodyFile)
	return err
}

func (h *httpKeys) source(node *yaml.Node) error {
	addr, err := netip.ParseAddr(node.Value)
	if err != nil {
		return errors.New("want an IP address such as 10.0.0.7")
	}
	h.SourceIP = addr.Unmap()
	return nil
}

// secret reads a text that no error repeats.
func secret(to *promconfig.Secret) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.ScalarNode || isNull(node) {
			return errors.New("want a text")
		}
		*to = promconfig.Secret(node.Value)
		return nil
	}
}

func checkMethod(method string) error {
	if method == "" || !httpguts.ValidHeaderFieldName(method) || strings.ToUpper(method) != method {
		return errors.New("is not an HTTP method, want one such as GET")
	}
	if method == http.MethodConnect {
		return errors.New("makes a tunnel and no exchange, want one such as GET")
	}
	return nil
}

func checkStatusCodes(codes []int) error {
	for _, code := range codes {
		if code < 100 || code > 599 {
			return fmt.Errorf("%d is not an HTTP status, want 100 to 599", code)
		}
	}
	return nil
}

func checkHTTPVersions(versions []string) error {
	known := []string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}
	for _, v := range versions {
		if v == "HTTP/2" {
			return errors.New(`"HTTP/2" never matches: the version is written "HTTP/2.0"`)
		}
		if !slices.Contains(known, v) {
			return fmt.Errorf("%q is not a version that a response can have, want %s", v, strings.Join(known, ", "))
		}
	}
	return nil
}

func checkCompression(c string) error {
	if !slices.Contains([]string{"", "gzip", "br", "deflate", "identity"}, c) {
		return errors.New("is not supported, want gzip, br, deflate or identity")
	}
	return nil
}

// accepts reports whether an Accept-Encoding header allows an encoding (RFC 9110 section 12.5.3).
func accepts(header, encoding string) bool {
	starred := false
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		refused := regexp.MustCompile(`^\s*q\s*=\s*0(\.0*)?\s*$`).MatchString(parameters)
		if name == encoding {
			return !refused
		}
		starred = starred || name == "*" && !refused
	}
	return starred || encoding == "identity"
}

func checkIPProtocol(s string) error {
	if s != "ip4" && s != "ip6" {
		return errors.New("want ip4 or ip6")
	}
	return nil
}

// byteSize reads a size such as 10MB or 1KiB; units are powers of 1024 as in blackbox_exporter. 0 means no limit.
func byteSize(to *int64) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.ScalarNode || isNull(node) {
			return errors.New(`want a size such as "10MB"`)
		}
		if node.Value == "0" {
			*to = 0
			return nil
		}
		size, err := units.ParseBase2Bytes(node.Value)
		if err != nil || size < 0 {
			return errors.New(`want a size such as "10MB", or 0 for no limit`)
		}
		*to = int64(size)
		return nil
	}
}

// regexps reads a list of expressions, RE2 and unanchored.
func regexps(p place, to *[]*regexp.Regexp) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.SequenceNode {
			return errors.New("want a list of regular expressions")
		}
		for _, item := range node.Content {
			re, err := compile(item)
			if err != nil {
				return placedError{p.errorAt(item, "regexp%s: %w", quoted(item), err)}
			}
			*to = append(*to, re)
		}
		return nil
	}
}

func compile(node *yaml.Node) (*regexp.Regexp, error) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		return nil, errors.New("has no value, want a regular expression")
	}
	re, err := regexp.Compile(node.Value)
	if err != nil {
		return nil, fmt.Errorf("%s, want RE2 syntax", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// headerMatches reads a list of {header, regexp, allow_missing}.
func headerMatches(p place, to *[]HeaderMatch) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.SequenceNode {
			return errors.New("want a list of {header, regexp, allow_missing}")
		}
		for _, item := range node.Content {
			var match HeaderMatch
			err := p.mapping(item, "a header rule", map[string]key{
				"header":        checked(&match.Header, func(s string) error { return checkHeader(s, "") }),
				"regexp":        func(v *yaml.Node) (err error) { match.Regexp, err = compile(v); return err },
				"allow_missing": into(&match.AllowMissing),
			})
			if err != nil {
				return err
			}
			if match.Header == "" || match.Regexp == nil {
				return placedError{p.errorAt(item, "a header rule needs both header and regexp")}
			}
			match.Header = textproto.CanonicalMIMEHeaderKey(match.Header)
			*to = append(*to, match)
		}
		return nil
	}
}

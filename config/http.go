package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/config/compile"
	"errno_exporter/prober/module"
)

// httpKeys reads the keys under http: into a module, keeping what is only needed until the module is finished.
type httpKeys struct {
	*module.Module
	place    place
	dir      string
	given    map[string]*yaml.Node // the values of the keys that the module has
	bodyFile string
	noFollow *bool
	client   promconfig.HTTPClientConfig // tls_config, credentials and proxy, by the names that Prometheus' users know
	shaking  compile.Handshake
}

// read reads the mapping under http:.
func (h *httpKeys) read(node *yaml.Node) error {
	h.given = map[string]*yaml.Node{}
	keys := h.keys()
	for name, read := range keys {
		keys[name] = func(value *yaml.Node) error {
			h.given[name] = value
			return read(value)
		}
	}
	if err := h.place.mapping(node, "http", unlessNull(keys)); err != nil {
		return err
	}
	h.place.warnOfVariables(node)
	return nil
}

// keys are the keys under http:, each with its reader.
func (h *httpKeys) keys() map[string]key {
	m, p := h.Module, h.place
	keys := map[string]key{
		"method":                            h.method,
		"headers":                           h.headers,
		"http_headers":                      h.httpHeaders,
		"body":                              h.body,
		"body_file":                         h.readBodyFile,
		"valid_status_codes":                checked(&m.ValidStatusCodes, checkStatusCodes),
		"valid_http_versions":               h.httpVersions,
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
		"compression":                       h.compression,
		"body_size_limit":                   byteSize(&m.BodySizeLimit),
		"keep_body":                         into(&m.KeepBody),
		"secret_params":                     into(&m.SecretParams),
	}
	maps.Copy(keys, h.reachKeys())
	maps.Copy(keys, h.clientKeys())
	maps.Copy(keys, h.tlsKeys())
	return keys
}

// reachKeys are the keys of how the target is reached, and how often.
func (h *httpKeys) reachKeys() map[string]key {
	m := h.Module
	return map[string]key{
		"preferred_ip_protocol":         h.ipProtocol,
		"ip_protocol_fallback":          into(&m.IPProtocolFallback),
		"skip_resolve_phase_with_proxy": into(&m.SkipResolve),
		"enable_http2":                  into(&m.EnableHTTP2),
		"enable_http3":                  into(&m.EnableHTTP3),
		"source_ip_address":             h.source,
		"trace":                         into(&m.Trace),
		"retry":                         h.readRetry,
		"diagnose":                      h.readDiagnose,
		"resolver":                      h.readResolver,
		"keepalive":                     h.readKeepalive,
		"addresses":                     choice(&m.AllAddresses, "first", "all"),
		"addresses_success":             choice(&m.AnyAddress, "all", "any"),
		"retry_non_idempotent":          into(&m.RetryNonIdempotent),
	}
}

// clientKeys are the keys of TLS, credentials and proxies.
func (h *httpKeys) clientKeys() map[string]key {
	p := h.place
	h.client.BasicAuth, h.client.Authorization = nil, nil
	return map[string]key{
		"tls_config": strictly(p, "tls_config", &h.client.TLSConfig),
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
	if h.noFollow != nil {
		m.FollowRedirects = !*h.noFollow
	}
	if err := h.loadBody(node); err != nil {
		return err
	}
	if accepted := m.Header.Get("Accept-Encoding"); m.Compression != "" && accepted != "" &&
		!accepts(accepted, m.Compression) {
		return h.wrong(node, fmt.Errorf("compression %q is not among the encodings of the header Accept-Encoding %q: "+
			"make them agree", m.Compression, accepted), "compression")
	}
	if m.HasCEL() && h.given["body_size_limit"] == nil {
		m.BodySizeLimit = module.DefaultJSONLimit
	}
	if m.HasCEL() && (m.BodySizeLimit == 0 || m.BodySizeLimit > module.MaxJSONLimit) {
		m.BodySizeLimit = module.MaxJSONLimit
	}
	if err := h.checkCombinations(node); err != nil {
		return err
	}
	c := compile.Client{HTTPClientConfig: h.client, Handshake: h.shaking, Dir: h.dir,
		Secrets: secretsIn(node, h.SecretParams),
		Warn:    func(wrong *compile.KeyError) { h.warnOfFile(node, wrong) }}
	if err := c.Into(m); err != nil {
		wrong, _ := errors.AsType[*compile.KeyError](err)
		return h.wrong(node, err, wrong.Keys...)
	}
	return nil
}

// wrong places an error at the first of the keys that the module has, or else at the module.
func (h *httpKeys) wrong(node *yaml.Node, err error, keys ...string) error {
	return placedError{h.place.errorAt(h.first(node, keys), "%w", withoutRefs(err))}
}

// oauth2 reads the credentials for tokens. Its token_url is checked here, since the first fetch is the first probe's.
func (h *httpKeys) oauth2(node *yaml.Node) error {
	c := new(promconfig.OAuth2)
	h.client.OAuth2 = c
	if err := strictly(h.place, "oauth2", c)(node); err != nil {
		return err
	}
	if err := checkTokenURL(c.TokenURL); err != nil {
		return err
	}
	if c.GrantType != "" && c.GrantType != compile.GrantJWTBearer && c.GrantType != "client_credentials" {
		return fmt.Errorf("grant_type %q is not supported, want client_credentials or %s", c.GrantType,
			compile.GrantJWTBearer)
	}
	if c.GrantType == compile.GrantJWTBearer && c.ClientCertificateKey == "" && c.ClientCertificateKeyFile == "" {
		return errors.New("client_certificate_key or client_certificate_key_file is missing, with which grant_type " +
			compile.GrantJWTBearer + " signs")
	}
	if proxy := c.ProxyURL.URL; proxy != nil && *proxy == (url.URL{}) {
		c.ProxyURL.URL = nil
	} else if proxy != nil {
		if err := checkProxy(proxy); err != nil {
			return fmt.Errorf("proxy_url%w", err)
		}
	}
	return c.ProxyConfig.Validate()
}

// checkTokenURL checks a token_url that is given.
func checkTokenURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("token_url is not a URL, want one such as https://login.example.com/oauth2/token")
	}
	if err := module.CheckEndpoint(u); err != nil {
		return fmt.Errorf("token_url: %w", err)
	}
	return nil
}

func (h *httpKeys) body(node *yaml.Node) error {
	var text string
	err := into(&text)(node)
	h.Body = []byte(text)
	return err
}

func (h *httpKeys) source(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "" {
		return nil
	}
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

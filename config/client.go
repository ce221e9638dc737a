package config

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// What depends on the module alone is built here, once, from prometheus/common's types: TLS, proxies, credentials.

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

func (h *httpKeys) proxyURL(node *yaml.Node) error {
	u, err := url.Parse(node.Value)
	if err != nil || node.Kind != yaml.ScalarNode {
		return placedError{h.place.errorAt(node, "proxy_url is not a URL, want one such as http://proxy.example.com:3128")}
	}
	if !slices.Contains(proxySchemes, u.Scheme) || u.Hostname() == "" {
		return placedError{h.place.errorAt(node, "proxy_url %q: want SCHEME://HOST:PORT with one of the schemes %s", u.Redacted(), strings.Join(proxySchemes, ", "))}
	}
	if err := checkHostPort(u.Host); err != nil {
		return placedError{h.place.errorAt(node, "proxy_url: %w", err)}
	}
	h.client.ProxyURL = promconfig.URL{URL: u}
	return nil
}

// connections builds TLS and proxies.
func (h *httpKeys) connections() error {
	h.client.TLSConfig.SetDirectory(h.dir)
	c, err := promconfig.NewTLSConfig(&h.client.TLSConfig)
	if err != nil {
		return fmt.Errorf("tls_config: %w", err)
	}
	c.NextProtos = []string{"http/1.1"}
	switch {
	case h.EnableHTTP2:
		c.NextProtos = []string{"h2", "http/1.1"}
	case h.EnableHTTP3:
		c.NextProtos = []string{"h3"}
	}
	h.TLS = c
	h.Proxy = h.client.Proxy()
	if header := h.client.GetProxyConnectHeader(); header != nil {
		h.ProxyConnectHeader = make(http.Header, len(header))
		for name, values := range header {
			h.ProxyConnectHeader[http.CanonicalHeaderKey(name)] = values
		}
	}
	return nil
}

// credentials builds the authorising round-trippers around a leaf that sends nothing, and sees that each secret file can be read.
func (h *httpKeys) credentials(node *yaml.Node) error {
	c := &h.client
	var chain http.RoundTripper = unsent{}
	if c.HTTPHeaders != nil && len(c.HTTPHeaders.Headers) > 0 {
		c.HTTPHeaders.SetDirectory(h.dir)
		chain = promconfig.NewHeadersRoundTripper(c.HTTPHeaders, chain)
		if err := try(chain); err != nil {
			return h.wrong(node, fmt.Errorf("http_headers: %w", err), "http_headers")
		}
	}
	if basic := c.BasicAuth; basic != nil {
		basic.SetDirectory(h.dir)
		chain = promconfig.NewBasicAuthRoundTripper(
			secretReader(basic.Username, basic.UsernameFile), secretReader(string(basic.Password), basic.PasswordFile), chain)
	}
	if auth := c.Authorization; auth != nil {
		auth.SetDirectory(h.dir)
		chain = promconfig.NewAuthorizationCredentialsRoundTripper(
			auth.Type, secretReader(string(auth.Credentials), auth.CredentialsFile), chain)
	}
	if c.OAuth2 != nil {
		c.OAuth2.SetDirectory(h.dir)
		tokens, err := newTokens(c.OAuth2, chain)
		if err != nil {
			return h.wrong(node, err, "oauth2")
		}
		if _, err := tokens.secret.Fetch(context.Background()); err != nil {
			return h.wrong(node, fmt.Errorf("oauth2: %w", err), "oauth2")
		}
		h.authorize = tokens
		return nil // a trial would fetch a token
	}
	if chain == (unsent{}) {
		return nil
	}
	if err := try(chain); err != nil {
		return h.wrong(node, err, "authorization", "bearer_token_file", "bearer_token", "basic_auth")
	}
	h.authorize = chain
	return nil
}

// try authorises a request that is not sent, so that what cannot be read, or be a header, is known at load.
func try(chain http.RoundTripper) error {
	trial := &http.Request{URL: &url.URL{Scheme: "http", Host: "trial"}, Header: http.Header{}}
	response, err := chain.RoundTrip(trial)
	if err != nil {
		return err
	}
	for name, values := range response.Request.Header {
		for _, value := range values {
			if err := checkHeader(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// secretReader reads a secret from its file each time, so that a change counts at once; a text is what it is.
func secretReader(text, file string) promconfig.SecretReader {
	if file != "" {
		return fileSecret(file)
	}
	return promconfig.NewInlineSecret(text)
}

// fileSecret is a file whose text is a secret, without what spaces surround it.
type fileSecret string

// Fetch reads the file.
func (f fileSecret) Fetch(context.Context) (string, error) {
	if err := checkRegular(string(f)); err != nil {
		return "", err
	}
	text, err := readFile(string(f))
	if err != nil {
		return "", fmt.Errorf("unable to read file %s: %w", string(f), err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Description names the file.
func (f fileSecret) Description() string { return "file " + string(f) }

// Immutable is false: the file may change.
func (f fileSecret) Immutable() bool { return false }

// Package compile makes what depends only on a module, once, at load: TLS, proxies, credentials, OAuth2 tokens and CEL
// programs. It is the one place that hands Prometheus' libraries and cel-go to a module; package module has plain
// values and functions alone. Read compile.go first.
package compile

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/prober/module"
)

// Client is what a module's keys say of TLS, proxies and credentials, by the names that Prometheus' users know.
type Client struct {
	promconfig.HTTPClientConfig
	Handshake Handshake
	Dir       string          // what file names are relative to
	Secrets   []string        // the secrets that the configuration itself contains
	Warn      func(*KeyError) // is called for each file that cannot be used
}

// KeyError is an error in the value of a key: of the first of Keys that the module has.
type KeyError struct {
	Keys []string
	Err  error
}

func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the value.
func (e *KeyError) Unwrap() error { return e.Err }

func keyError(err error, keys ...string) error { return &KeyError{Keys: keys, Err: err} }

// Into compiles TLS, proxies and credentials into the module. The error is a KeyError. A file that cannot be read, or
// has not what it should have, is none: it may come later, and meanwhile the module's probes fail alone. Secrets are
// read for each probe, everything else at the next load.
func (c *Client) Into(m *module.Module) error {
	err := c.connections(m)
	switch {
	case err == nil:
	case namesFiles(&c.TLSConfig):
		m.Broken = fmt.Errorf("tls_config: %w", err)
		c.Warn(&KeyError{Keys: []string{"tls_config"}, Err: m.Broken})
	default:
		return keyError(fmt.Errorf("tls_config: %w", err), "tls_config")
	}
	chain, err := c.credentials(m)
	if err != nil {
		return err
	}
	m.Mask = m.Mask.With(c.Secrets...)
	if chain != nil {
		m.Credentials = func(request *http.Request) (*http.Request, error) { return authorized(chain, request) }
		c.hide(m)
		m.Sent = new(module.Sent)
	}
	return nil
}

// namesFiles reports whether something of TLS is in a file.
func namesFiles(c *promconfig.TLSConfig) bool {
	return c.CAFile != "" || c.CertFile != "" || c.KeyFile != ""
}

// connections compiles TLS and proxies.
func (c *Client) connections(m *module.Module) error {
	c.TLSConfig.SetDirectory(c.Dir)
	m.Handshake = module.Handshake{CA: named(c.TLSConfig.CAFile, c.TLSConfig.CA, "CA"),
		Certificate: named(c.TLSConfig.CertFile, c.TLSConfig.Cert, "CERTIFICATE"),
		Key:         named(c.TLSConfig.KeyFile, string(c.TLSConfig.Key), "KEY")}
	c.proxies(m)
	secured, err := newTLSConfig(&c.TLSConfig)
	if err != nil {
		return err
	}
	secured.NextProtos = []string{"http/1.1"}
	switch {
	case m.EnableHTTP2:
		secured.NextProtos = []string{"h2", "http/1.1"}
	case m.EnableHTTP3:
		secured.NextProtos = []string{"h3"}
	}
	c.Handshake.into(secured)
	m.TLS = secured
	return nil
}

// named is a file's name, or another where the configuration has the content; empty for neither.
func named(file, content, instead string) string {
	if file == "" && content != "" {
		return instead
	}
	return file
}

func (c *Client) proxies(m *module.Module) {
	m.Proxy = c.Proxy()
	if header := c.GetProxyConnectHeader(); header != nil {
		m.ProxyConnectHeader = make(http.Header, len(header))
		for name, values := range header {
			m.ProxyConnectHeader[http.CanonicalHeaderKey(name)] = values
		}
	}
}

// credentials compiles the authorising round-trippers around a leaf that sends nothing, and warns of each secret file
// that cannot be read. It returns nil where there is nothing to add.
func (c *Client) credentials(m *module.Module) (http.RoundTripper, error) {
	var chain http.RoundTripper = unsent{}
	if c.HTTPHeaders != nil && len(c.HTTPHeaders.Headers) > 0 {
		c.HTTPHeaders.SetDirectory(c.Dir)
		chain = promconfig.NewHeadersRoundTripper(c.HTTPHeaders, chain)
		if err := c.try(chain, "http_headers"); err != nil {
			return nil, keyError(fmt.Errorf("http_headers: %w", err), "http_headers")
		}
	}
	if basic := c.BasicAuth; basic != nil {
		basic.SetDirectory(c.Dir)
		chain = promconfig.NewBasicAuthRoundTripper(
			secretReader(basic.Username, basic.UsernameFile), secretReader(string(basic.Password), basic.PasswordFile),
			chain)
	}
	if auth := c.Authorization; auth != nil && (auth.Credentials != "" || auth.CredentialsFile != "") {
		auth.SetDirectory(c.Dir)
		chain = promconfig.NewAuthorizationCredentialsRoundTripper(
			auth.Type, secretReader(string(auth.Credentials), auth.CredentialsFile), chain)
	}
	if c.OAuth2 != nil {
		return c.tokens(m, chain) // a trial would fetch a token
	}
	if chain == (unsent{}) {
		return nil, nil
	}
	keys := []string{"authorization", "bearer_token_file", "bearer_token", "basic_auth"}
	if c.BasicAuth == nil && c.Authorization == nil {
		return chain, nil // http_headers alone, which were tried
	}
	if err := c.try(chain, keys...); err != nil {
		return nil, keyError(err, keys...)
	}
	return chain, nil
}

// tokens compiles oauth2, and reads its secret once.
func (c *Client) tokens(m *module.Module, next http.RoundTripper) (http.RoundTripper, error) {
	c.OAuth2.SetDirectory(c.Dir)
	tokens, err := newTokens(c.OAuth2, next)
	switch {
	case err == nil:
	case namesFiles(&c.OAuth2.TLSConfig):
		m.Broken = err
		c.Warn(&KeyError{Keys: []string{"oauth2"}, Err: err})
		return next, nil
	default:
		return nil, keyError(err, "oauth2")
	}
	if _, err := tokens.secret.Fetch(context.Background()); err != nil {
		c.Warn(&KeyError{Keys: []string{"oauth2"}, Err: fmt.Errorf("oauth2: %w", err)})
	}
	return tokens, nil
}

// hide compiles what must be masked of a module's credentials, those in files as they are now; others are known when a
// request has them.
func (c *Client) hide(m *module.Module) {
	if c.HTTPHeaders != nil {
		for name, header := range c.HTTPHeaders.Headers {
			if !module.SoundsSecret(name) {
				m.OpenValues = append(m.OpenValues, header.Values...)
			}
		}
	}
	if c.OAuth2 != nil {
		return // a trial would fetch a token
	}
	trial := &http.Request{URL: new(url.URL), Header: m.Header.Clone()}
	if request, err := m.Authorize(trial); err == nil { // there is a warning of any error
		m.Mask = m.Mask.With(m.SecretsOf(trial.URL, request.Header)...)
	}
}

// try authorises a request that is not sent, so that what cannot be read, or be a header, is known at load. The keys
// are those of the module that the round-trippers are made of.
func (c *Client) try(chain http.RoundTripper, keys ...string) error {
	trial := &http.Request{URL: &url.URL{Scheme: "http", Host: "trial"}, Header: http.Header{}}
	request, err := authorized(chain, trial)
	if err != nil { // a file cannot be read
		c.Warn(&KeyError{Keys: keys, Err: err})
		return nil
	}
	for name, values := range request.Header {
		for _, value := range values {
			if err := module.CheckHeader(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// authorized is a copy of the request with what the round-trippers add to it.
func authorized(chain http.RoundTripper, request *http.Request) (*http.Request, error) {
	response, err := chain.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	return response.Request, nil
}

// unsent is the leaf of the authorising round-trippers: it hands the finished request back instead of sending it.
type unsent struct{}

func (unsent) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{Request: request}, nil
}

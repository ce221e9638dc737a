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
	Dir     string   // what file names are relative to
	Secrets []string // the secrets that the configuration itself contains
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

// Into compiles TLS, proxies and credentials into the module. The error is a KeyError.
func (c *Client) Into(m *module.Module) error {
	if err := c.connections(m); err != nil {
		return keyError(fmt.Errorf("tls_config: %w", err), "tls_config")
	}
	chain, err := c.credentials()
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

// connections compiles TLS and proxies.
func (c *Client) connections(m *module.Module) error {
	c.TLSConfig.SetDirectory(c.Dir)
	secured, err := promconfig.NewTLSConfig(&c.TLSConfig)
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
	m.TLS = secured
	m.Proxy = c.Proxy()
	if header := c.GetProxyConnectHeader(); header != nil {
		m.ProxyConnectHeader = make(http.Header, len(header))
		for name, values := range header {
			m.ProxyConnectHeader[http.CanonicalHeaderKey(name)] = values
		}
	}
	return nil
}

// credentials compiles the authorising round-trippers around a leaf that sends nothing, and checks that each secret
// file can be read. It returns nil where there is nothing to add.
func (c *Client) credentials() (http.RoundTripper, error) {
	var chain http.RoundTripper = unsent{}
	if c.HTTPHeaders != nil && len(c.HTTPHeaders.Headers) > 0 {
		c.HTTPHeaders.SetDirectory(c.Dir)
		chain = promconfig.NewHeadersRoundTripper(c.HTTPHeaders, chain)
		if err := try(chain); err != nil {
			return nil, keyError(fmt.Errorf("http_headers: %w", err), "http_headers")
		}
	}
	if basic := c.BasicAuth; basic != nil {
		basic.SetDirectory(c.Dir)
		chain = promconfig.NewBasicAuthRoundTripper(
			secretReader(basic.Username, basic.UsernameFile), secretReader(string(basic.Password), basic.PasswordFile),
			chain)
	}
	if auth := c.Authorization; auth != nil {
		auth.SetDirectory(c.Dir)
		chain = promconfig.NewAuthorizationCredentialsRoundTripper(
			auth.Type, secretReader(string(auth.Credentials), auth.CredentialsFile), chain)
	}
	if c.OAuth2 != nil {
		return c.tokens(chain) // a trial would fetch a token
	}
	if chain == (unsent{}) {
		return nil, nil
	}
	if err := try(chain); err != nil {
		return nil, keyError(err, "authorization", "bearer_token_file", "bearer_token", "basic_auth")
	}
	return chain, nil
}

// tokens compiles oauth2, and reads its secret once.
func (c *Client) tokens(next http.RoundTripper) (http.RoundTripper, error) {
	c.OAuth2.SetDirectory(c.Dir)
	tokens, err := newTokens(c.OAuth2, next)
	if err != nil {
		return nil, keyError(err, "oauth2")
	}
	if _, err := tokens.secret.Fetch(context.Background()); err != nil {
		return nil, keyError(fmt.Errorf("oauth2: %w", err), "oauth2")
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
	if request, err := m.Authorize(trial); err == nil { // it was tried before
		m.Mask = m.Mask.With(m.SecretsOf(trial.URL, request.Header)...)
	}
}

// try authorises a request that is not sent, so that what cannot be read, or be a header, is known at load.
func try(chain http.RoundTripper) error {
	trial := &http.Request{URL: &url.URL{Scheme: "http", Host: "trial"}, Header: http.Header{}}
	request, err := authorized(chain, trial)
	if err != nil {
		return err
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

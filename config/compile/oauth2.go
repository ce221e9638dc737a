package compile

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"
	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"errno_exporter/prober/module"
)

// tokens gets a module's OAuth2 token, keeps it until it expires, and adds it to requests. A fetch ends with the
// context of the request that needs it: a token endpoint that hangs costs the probe its deadline and no more.
type tokens struct {
	next     http.RoundTripper
	config   *promconfig.OAuth2
	secret   promconfig.SecretReader
	client   *http.Transport
	turn     chan struct{} // holds one value: who takes it may fetch. Guards token and usedWith
	token    *oauth2.Token
	usedWith string // the secret the token was had with
}

func newTokens(c *promconfig.OAuth2, next http.RoundTripper) (*tokens, error) {
	secured, err := newTLSConfig(&c.TLSConfig)
	if err != nil {
		return nil, fmt.Errorf("oauth2: tls_config: %w", err)
	}
	t := &tokens{next: next, config: c, turn: make(chan struct{}, 1),
		secret: secretReader(string(c.ClientSecret), c.ClientSecretFile)}
	if c.GrantType == GrantJWTBearer {
		t.secret = secretReader(string(c.ClientCertificateKey), c.ClientCertificateKeyFile)
	}
	t.client = newFetchTransport(c, secured)
	t.turn <- struct{}{}
	return t, nil
}

// GrantJWTBearer is the grant type of signed assertions.
const GrantJWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer" // RFC 7523

// RoundTrip adds the token to a copy of the request and hands it on.
func (t *tokens) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := t.valid(request.Context(), request.Header["User-Agent"])
	if err != nil {
		return nil, err
	}
	authorized := request.Clone(request.Context())
	token.SetAuthHeader(authorized)
	return t.next.RoundTrip(authorized)
}

// valid returns the kept token, or a new one. Of several probes that need one, one fetches and the others wait as long
// as they can. The fetch has the User-Agent of the request.
func (t *tokens) valid(ctx context.Context, userAgent []string) (*oauth2.Token, error) {
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, t.failed(ctx.Err())
	}
	secret, err := t.secret.Fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("unable to read oauth2 client secret: %w", err)
	}
	if fresh(t.token, time.Now()) && t.usedWith == secret {
		return t.token, nil
	}
	f := &fetch{ctx: ctx, userAgent: userAgent}
	client := &http.Client{Transport: boundTo{f, t.client}, CheckRedirect: t.checkRedirect}
	token, err := t.source(context.WithValue(ctx, oauth2.HTTPClient, client), secret).Token()
	if f.flooded.Load() {
		err = module.ErrTokenFlood // golang.org/x/oauth2 hands on its text alone
	}
	if err == nil {
		err = checkToken(token)
	}
	if err != nil {
		return nil, t.failed(err)
	}
	t.token, t.usedWith = token, secret
	return token, nil
}

// maxToken is how long a token may be in bytes, with its type: a request's head has at most 64 KiB.
const maxToken = 48 << 10

// checkToken refuses a token that no request can have in its head. It would be kept until it expires, and that may be
// never.
func checkToken(token *oauth2.Token) error {
	value := token.Type() + " " + token.AccessToken
	if len(value) > maxToken || !httpguts.ValidHeaderFieldValue(value) {
		return errors.New("the token cannot be sent in a header field")
	}
	return nil
}

// tokenMargin is for how long a token has to be valid yet: oauth2's own margin.
const tokenMargin = 10 * time.Second

// fresh reports whether a token has not expired by the monotonic clock, nor by the system's. oauth2.Token.Valid knows
// the latter alone: after it was set back, an expired token would be sent for as long.
func fresh(token *oauth2.Token, now time.Time) bool {
	if token == nil || token.AccessToken == "" || token.Expiry.IsZero() {
		return token != nil && token.AccessToken != ""
	}
	expires := token.Expiry
	return min(expires.Sub(now), expires.Round(0).Sub(now.Round(0))) > tokenMargin
}

// maxTokenRedirects is how many redirects of a token endpoint are followed, as in net/http.
const maxTokenRedirects = 10

// checkRedirect keeps the client's secret, and everything that a token request holds, at the origin of token_url. That
// is also why a redirect cannot lead into a network that probe_policy denies: only the host that the operator named is
// dialled.
func (t *tokens) checkRedirect(next *http.Request, via []*http.Request) error {
	if !module.MaySend(via[0].URL, next.URL) {
		return fmt.Errorf("%w to %q, which gets no client secret: name that endpoint in token_url if it is meant",
			module.ErrTokenRedirect, module.OriginOf(next.URL).String())
	}
	if len(via) > maxTokenRedirects {
		return fmt.Errorf("%w more than %d times", module.ErrTokenRedirect, maxTokenRedirects)
	}
	return nil
}

// failed makes an error that names the endpoint, and shows nothing of its answer but the status and a code that RFC
// 6749 defines: it may repeat what it was sent.
func (t *tokens) failed(err error) error {
	e := &module.TokenError{Endpoint: t.config.TokenURL, Err: err}
	if u, parseErr := url.Parse(t.config.TokenURL); parseErr == nil {
		e.Endpoint = u.Scheme + "://" + u.Host + u.Path
	}
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		e.Status = answer.Response.StatusCode
		e.Err = fmt.Errorf("status %d %s", e.Status, knownCode(answer.ErrorCode))
		return e
	}
	if in, ok := errors.AsType[*url.Error](err); ok {
		e.Err = in.Err
	}
	if !isOurs(e.Err) {
		e.Err = &unreadable{e.Err}
	}
	return e
}

// knownCode is an error code of RFC 6749 section 5.2; others are the endpoint's own text.
func knownCode(code string) string {
	switch code {
	case "", "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
		"invalid_scope":
		return code
	}
	return "with an error code that RFC 6749 does not define"
}

// isOurs reports whether an error's text comes from this host: the network's, TLS's, or one of this program. Parsers
// repeat what they could not read.
func isOurs(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, errno := errors.AsType[syscall.Errno](err)
	_, verified := errors.AsType[*tls.CertificateVerificationError](err)
	_, spoken := errors.AsType[tls.RecordHeaderError](err)
	if network || errno || verified || spoken {
		return true
	}
	return slices.ContainsFunc([]error{module.ErrTokenFlood, module.ErrTokenRedirect, context.Canceled,
		context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF}, func(of error) bool { return errors.Is(err, of) })
}

// unreadable is an answer that is no token's. Its text is not the parser's.
type unreadable struct{ err error }

func (e *unreadable) Error() string { return "the answer holds no token (RFC 6749 section 5.1)" }

// Unwrap returns what the parser said.
func (e *unreadable) Unwrap() error { return e.err }

func (t *tokens) source(ctx context.Context, secret string) oauth2.TokenSource {
	c := t.config
	parameters := url.Values{}
	for name, value := range c.EndpointParams {
		parameters.Set(name, value)
	}
	if c.GrantType != GrantJWTBearer {
		credentials := &clientcredentials.Config{
			ClientID: c.ClientID, ClientSecret: secret, Scopes: c.Scopes, TokenURL: c.TokenURL,
			EndpointParams: parameters,
		}
		return credentials.TokenSource(ctx)
	}
	methods := map[string]*jwt.SigningMethodRSA{"": jwt.SigningMethodRS256, "RS256": jwt.SigningMethodRS256,
		"RS384": jwt.SigningMethodRS384, "RS512": jwt.SigningMethodRS512}
	assertion := &promconfig.JwtGrantTypeConfig{
		PrivateKey: []byte(secret), PrivateKeyID: c.ClientCertificateKeyID, Scopes: c.Scopes, TokenURL: c.TokenURL,
		EndpointParams:   parameters,
		SigningAlgorithm: methods[c.SignatureAlgorithm], Iss: c.Iss, Subject: c.ClientID, Audience: c.Audience,
		PrivateClaims: c.Claims,
	}
	if assertion.Iss == "" {
		assertion.Iss = c.ClientID
	}
	return assertion.TokenSource(ctx)
}

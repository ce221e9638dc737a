// Package module has what the prober needs of a module: plain values, and functions compiled once at load by package
// config/compile. It imports neither YAML nor Prometheus' libraries. Read module.go first; then origin.go and
// networks.go, the rules of what may be sent and dialled.
package module

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Retry says how often a failed attempt is repeated, and how long to wait before that.
type Retry struct {
	Attempts       int           // at most, the first one included
	InitialBackoff time.Duration // before the second attempt; it doubles before each further one
	MaxBackoff     time.Duration
}

// Handshake is what a record needs to say how TLS is spoken. The files are those that tls_config names; for what the
// configuration has itself they are CA, CERTIFICATE and KEY. The rest is known of a module that is Shown.
type Handshake struct {
	CA, Certificate, Key   string // files
	ServerName             string // of tls_config
	Insecure               bool
	MinVersion, MaxVersion uint16 // 0: the default
}

// MaxAddresses bounds the addresses of a name that are probed at once.
const MaxAddresses = 16

// Resolver is the name servers that are asked instead of the system's.
type Resolver struct {
	Servers       []string // host:port, or URLs for https
	Protocol      string   // "udp", "tcp", "tls", "https"
	CompareSystem bool     // ask the system's resolver too, and compare
}

// SecretsOf are the secrets of a request as it is sent: those of its URL, and the values of headers that the module
// does not write in the clear.
func (m *Module) SecretsOf(u *url.URL, header http.Header) []string {
	return append(SecretsOfURL(u, m.SecretParams), m.secretHeaders(header)...)
}

// secretHeaders are the values of a request's headers that are not shown.
func (m *Module) secretHeaders(header http.Header) []string {
	var all []string
	for name, values := range header {
		for _, value := range values {
			if !m.ShowsHeader(name, value) {
				all = append(all, value)
			}
		}
	}
	slices.Sort(all)
	return all
}

// ProbeHeader is the request header that lists the exporters on whose behalf a request is made, the one that sent it
// last.
const ProbeHeader = "X-Errno-Exporter-Probe"

// ShowsHeader reports whether a request header's value may be shown. Those that the program writes itself hold no
// secret; of the others only what is under headers, by a name that does not sound like a secret's, and the values of
// http_headers.
func (m *Module) ShowsHeader(name, value string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host", "Referer", "Traceparent",
		"User-Agent", ProbeHeader:
		return true
	}
	if SoundsSecret(name) {
		return false
	}
	return slices.Contains(m.Header.Values(name), value) || slices.Contains(m.OpenValues, value)
}

// New returns a module with every default, as `prober: http` alone gives it.
func New(name string) *Module {
	return &Module{
		Name:               name,
		Method:             http.MethodGet,
		Header:             http.Header{},
		PreferIPv6:         true,
		IPProtocolFallback: true,
		EnableHTTP2:        true,
		FollowRedirects:    true,
		Retry:              Retry{Attempts: 1, InitialBackoff: 500 * time.Millisecond, MaxBackoff: 5 * time.Second},
		BodySizeLimit:      defaultBodyLimit,
		Diagnose:           Diagnose{MaxPerHour: 6, ClosedPort: true, NeverRouted: true},
		TLS:                &tls.Config{NextProtos: []string{"h2", "http/1.1"}},
	}
}

// The limit of bodies, in bytes after decompression, where fail_if_body_json_* need the whole body in memory.
const (
	DefaultJSONLimit = 8 << 20
	MaxJSONLimit     = 64 << 20
)

// defaultBodyLimit is what a body may have, in bytes after decompression, unless body_size_limit says otherwise.
const defaultBodyLimit = 256 << 20

// Module says how to probe. It is shared by all probes and never changed after Load.
type Module struct {
	Name    string
	Timeout time.Duration // 0: bounded by the scrape alone
	Trace   bool          // send a traceparent header, whose trace ID leads to the probe's record

	Broken error // a file that the module names cannot be used: its probes fail with this; nil: none

	// What is sent.
	Method string      // GET unless configured
	Header http.Header // `headers:`, canonical names, without Host; never nil
	Host   string      // the Host header of `headers:`; empty for the URL's
	Body   []byte      // body or the content of body_file; nil for none

	BodyFile string // its name; empty where body has it, or none

	// How the target is reached.
	PreferIPv6         bool // preferred_ip_protocol: ip6
	IPProtocolFallback bool // the other family will do when the preferred one has no address
	EnableHTTP2        bool // offer h2 by ALPN
	EnableHTTP3        bool // speak HTTP/3 over QUIC, and nothing else; http:// targets are taken for https://
	TLS                *tls.Config
	Handshake          Handshake
	CheckRevoked       bool                                  // look verified certificates up in the lists of their issuers
	PinnedKeys         []Pin                                 // of which the target has to show one; empty: any key will do
	Proxy              func(*http.Request) (*url.URL, error) // nil: none is configured
	ProxyConnectHeader http.Header                           // for CONNECT; may be nil
	SkipResolve        bool                                  // skip_resolve_phase_with_proxy
	SourceIP           netip.Addr                            // source_ip_address; zero for the kernel's choice

	Resolver     *Resolver // asked instead of the system's; nil: the system's
	AllAddresses bool      // probe every address of the name, side by side
	AnyAddress   bool      // with it: one that succeeds is enough

	// How often it is tried.
	Retry              Retry
	KeepaliveMax       time.Duration   // up to which the lifetime of idle connections is measured; 0: it is not
	Keepalive          []time.Duration // idle ages to keep connections for, ascending; empty: none are kept
	Diagnose           Diagnose
	RetryNonIdempotent bool // also POST and the like, which may then be done twice

	// What is done with the answer.
	FollowRedirects bool
	Compression     string   // "gzip", "br", "deflate", "identity"; empty: the body is taken as it is
	BodySizeLimit   int64    // bytes after decompression; 0: none
	SecretParams    []string // query parameters whose values are not shown, besides those whose names sound secret
	KeepBody        bool     // keep the beginning of a failed response's body in the record

	// What the answer must be like.
	ValidStatusCodes         []int    // empty: 2xx
	ValidHTTPVersions        []string // "HTTP/1.1", "HTTP/2.0"; empty: any
	FailIfSSL                bool
	FailIfNotSSL             bool
	FailIfBodyMatches        []*regexp.Regexp
	FailIfBodyNotMatches     []*regexp.Regexp
	FailIfBodyJSONMatches    *CEL // nil: none
	FailIfBodyJSONNotMatches *CEL
	FailIfHeaderMatches      []HeaderMatch
	FailIfHeaderNotMatches   []HeaderMatch

	// Credentials. What adds them is compiled from http_headers, basic_auth, authorization and oauth2; what they are is
	// not kept here.
	Credentials func(*http.Request) (*http.Request, error) // nil for none; use Authorize
	Mask        *Mask                                      // of the secrets in the configuration; nil for none
	Sent        *Sent                                      // the secrets that became known since; nil: none are kept
	OpenValues  []string                                   // of http_headers whose names do not sound like secrets
}

// HeaderMatch is one expression on the values of a response header.
type HeaderMatch struct {
	Header       string // canonical
	Regexp       *regexp.Regexp
	AllowMissing bool
}

// CEL is an expression of the Common Expression Language on a JSON body, compiled at load.
type CEL struct {
	Text string
	// Eval evaluates the expression on a decoded JSON document, the variable body. The error says why there is no
	// answer: an evaluation that failed, a value that is not a boolean, or the context's end.
	Eval func(ctx context.Context, body any) (bool, error)
}

// ChecksBody reports whether the module's rules need the body's content.
func (m *Module) ChecksBody() bool {
	return m.MatchesBody() || m.HasCEL()
}

// MatchesBody reports whether the module compares bodies with regular expressions.
func (m *Module) MatchesBody() bool { return len(m.FailIfBodyMatches)+len(m.FailIfBodyNotMatches) > 0 }

// HasRegexp reports whether the module compares bodies or headers with regular expressions.
func (m *Module) HasRegexp() bool {
	return m.MatchesBody() || len(m.FailIfHeaderMatches)+len(m.FailIfHeaderNotMatches) > 0
}

// Authorizes reports whether the module adds credentials, or headers with secrets.
func (m *Module) Authorizes() bool { return m.Credentials != nil }

// Plain is the module with a plain request: GET, without headers, body or credentials.
func (m *Module) Plain() *Module {
	c := *m
	c.Method, c.Header, c.Body, c.Credentials, c.OpenValues = http.MethodGet, http.Header{}, nil, nil, nil
	return &c
}

// WithoutHTTP2 is the module with HTTP/1.1 alone.
func (m *Module) WithoutHTTP2() *Module {
	c := *m
	c.EnableHTTP2 = false
	c.TLS = m.TLS.Clone()
	c.TLS.NextProtos = []string{"http/1.1"}
	return &c
}

// Diagnose says when experiments are made after a failure.
type Diagnose struct {
	OnFailure   bool
	MaxPerHour  int  // rounds of experiments, for each target
	ClosedPort  bool // a SYN may be sent to a closed port of the target's host
	NeverRouted bool // a SYN may be sent to an address that is never routed
}

// Shown is the module as records keep it: with what is needed to show a probe, and without what is needed to make one.
// A record may outlive the configuration, whose pools of authorities, programs and bodies are large.
func (m *Module) Shown() *Module {
	if m == nil {
		return nil
	}
	c := *m
	c.TLS, c.Resolver, c.Body, c.Proxy, c.Sent = nil, nil, nil, nil, nil
	if m.TLS != nil {
		c.Handshake.Insecure, c.Handshake.ServerName = m.TLS.InsecureSkipVerify, m.TLS.ServerName
		c.Handshake.MinVersion, c.Handshake.MaxVersion = m.TLS.MinVersion, m.TLS.MaxVersion
	}
	c.FailIfBodyMatches, c.FailIfBodyNotMatches, c.FailIfHeaderMatches, c.FailIfHeaderNotMatches = nil, nil, nil, nil
	for _, rule := range []**CEL{&c.FailIfBodyJSONMatches, &c.FailIfBodyJSONNotMatches} {
		if *rule != nil {
			*rule = new(CEL) // that there is one is shown
		}
	}
	return &c
}

// HasCEL reports whether the module checks bodies by CEL expressions.
func (m *Module) HasCEL() bool {
	return m.FailIfBodyJSONMatches != nil || m.FailIfBodyJSONNotMatches != nil
}

// Authorize returns the request with the module's http_headers and credentials added. Nothing is sent; the request
// given is not changed. Credentials are left out on a redirect to another host, which is known by request.Response;
// http_headers are the caller's to leave out. The error says which file cannot be used.
func (m *Module) Authorize(request *http.Request) (*http.Request, error) {
	if m.Broken != nil {
		return nil, m.Broken
	}
	if m.Credentials == nil {
		return request, nil
	}
	authorized, err := m.Credentials(request)
	if err == nil {
		m.remember(request, authorized)
	}
	return authorized, err
}

// MaskURL is a URL as it may be shown: without userinfo, and without the values of parameters that sound like
// credentials or that the module names in secret_params. m may be nil.
func (m *Module) MaskURL(u *url.URL) string {
	if m == nil {
		return MaskURL(u, nil)
	}
	return MaskURL(u, m.SecretParams)
}

// MaskLink is a text that should be a URL, as it may be shown. Of one that does not parse, what stands before its query
// is left.
func (m *Module) MaskLink(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return WithoutSecrets(link)
	}
	return m.MaskURL(u)
}

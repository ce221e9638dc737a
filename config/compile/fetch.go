package compile

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
)

// How tokens are fetched. A token endpoint is as foreign as a target, and what it sends is bounded below net/http,
// whatever it is for: bytes and reads of a connection. HTTP/2 brings frames that no body bounds, and one request has no
// use for it: the endpoint is spoken to by HTTP/1.1.

const (
	maxTokenHead = 64 << 10
)

// newFetchTransport is what asks token endpoints. Nothing is decompressed: a member may be empty, and so may the next.
func newFetchTransport(c *promconfig.OAuth2, secured *tls.Config) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		TLSClientConfig: secured, Proxy: c.Proxy(), ProxyConnectHeader: c.GetProxyConnectHeader(), Protocols: protocols,
		DialContext: dialForFetch, DisableKeepAlives: true, DisableCompression: true,
		MaxResponseHeaderBytes: maxTokenHead,
	}
}

// fetch is one token being fetched.
type fetch struct {
	ctx       context.Context // of the request that needs the token
	userAgent []string        // of that request; nil: net/http's own
	flooded   atomic.Bool     // a connection was ended by its bound
}

// fetchKey carries the fetch: net/http dials with a context of its own.
type fetchKey struct{}

// boundTo sends each request with the fetch's context and User-Agent, whatever the library that made it thought of.
type boundTo struct {
	fetch *fetch
	next  http.RoundTripper
}

func (b boundTo) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(context.WithValue(b.fetch.ctx, fetchKey{}, b.fetch))
	if b.fetch.userAgent != nil {
		request.Header["User-Agent"] = b.fetch.userAgent
	}
	return b.next.RoundTrip(request)
}

// dialForFetch makes a connection that is closed when the fetch's context ends.
func dialForFetch(ctx context.Context, network, address string) (net.Conn, error) {
	f, ok := ctx.Value(fetchKey{}).(*fetch)
	if !ok {
		f = &fetch{ctx: ctx}
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(f.ctx, network, address)
	if err != nil {
		return nil, err
	}
	guard.ReportOf(f.ctx).AfterFunc(f.ctx, func() { _ = conn.Close() }) // nobody waits for it any more
	return &fetchConn{Conn: conn, fetch: f}, nil
}

// fetchConn is a connection to a token endpoint. One goroutine at a time reads it.
type fetchConn struct {
	net.Conn
	fetch        *fetch
	bytes, reads int
}

func (c *fetchConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes += n
	c.reads++
	if c.bytes > module.MaxTokenBytes || c.reads > module.MaxTokenReads {
		c.fetch.flooded.Store(true)
		return 0, module.ErrTokenFlood
	}
	return n, err
}

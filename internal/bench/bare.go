package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Bare does what a probe does on the network, and keeps nothing: a fresh TCP connection, a full TLS handshake with a
// verified certificate, one GET, the body read.
type Bare struct {
	tls       *tls.Config
	transport *http.Transport
}

type bareConnKey struct{}

// NewBare returns one that speaks TLS by a configuration.
func NewBare(c *tls.Config) *Bare {
	prepared := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ctx.Value(bareConnKey{}).(net.Conn), nil
	}
	return &Bare{tls: c, transport: &http.Transport{
		DialContext: prepared, DialTLSContext: prepared, ForceAttemptHTTP2: true, DisableCompression: true,
		IdleConnTimeout: 500 * time.Millisecond,
	}}
}

// Connect makes the connection. Its deadline is the context's, if that has one.
func (b *Bare) Connect(ctx context.Context, u *url.URL, protocols ...string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if at, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(at) // fails only on a closed connection
	}
	if u.Scheme != "https" {
		return conn, nil
	}
	c := b.tls.Clone()
	c.ServerName, c.NextProtos = u.Hostname(), protocols
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// Get gets a URL by net/http's client connection.
func (b *Bare) Get(ctx context.Context, u *url.URL) error {
	conn, err := b.Connect(ctx, u, "h2", "http/1.1")
	if err != nil {
		return err
	}
	client, err := b.transport.NewClientConn(context.WithValue(ctx, bareConnKey{}, conn), u.Scheme, u.Host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer client.Close()
	request := (&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{"User-Agent": {"bare"}},
		Close: true}).WithContext(ctx)
	response, err := client.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

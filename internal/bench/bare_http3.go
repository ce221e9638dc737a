package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// BareHTTP3 does what a probe over HTTP/3 does on the network, by quic-go alone, and keeps nothing: a fresh socket and
// QUIC connection with a verified certificate, one GET, the body read.
type BareHTTP3 struct {
	tls       *tls.Config
	transport *http3.Transport
}

// NewBareHTTP3 returns one that speaks TLS by a configuration.
func NewBareHTTP3(c *tls.Config) *BareHTTP3 {
	c = c.Clone()
	c.NextProtos = []string{http3.NextProtoH3}
	return &BareHTTP3{tls: c, transport: &http3.Transport{DisableCompression: true}}
}

// Get gets a URL.
func (b *BareHTTP3) Get(ctx context.Context, u *url.URL) error {
	c := b.tls.Clone()
	c.ServerName = u.Hostname()
	conn, err := quic.DialAddr(ctx, u.Host, c, nil)
	if err != nil {
		return err
	}
	return errors.Join(b.exchange(ctx, conn, u),
		conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), ""))
}

func (b *BareHTTP3) exchange(ctx context.Context, conn *quic.Conn, u *url.URL) error {
	request := (&http.Request{Method: http.MethodGet, URL: u,
		Header: http.Header{"User-Agent": {"bare"}}}).WithContext(ctx)
	response, err := b.transport.NewClientConn(conn).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

package prober

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"errno_exporter/prober/module"
)

// firstRequest is the request to the target, without the module's credentials.
func (a *attempt) firstRequest() *http.Request {
	request := a.newRequest(a.module.Method, a.firstURL(), a.module.Header.Clone(), a.module.Body)
	request.Host = a.hostOverride()
	return request
}

// firstURL is the target's URL. HTTP/3 is always encrypted: an http:// target is taken for https://.
func (a *attempt) firstURL() *url.URL {
	u := a.target.URL
	if !a.module.EnableHTTP3 || u.Scheme != "http" {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}

// hostOverride is the Host header asked for, by the probe or by the module; empty for the URL's own.
func (a *attempt) hostOverride() string {
	if a.target.Host != "" {
		return a.target.Host
	}
	return a.module.Host
}

// newRequest builds a request by the rules of net/http's own client. Its context bounds what is done to make it; the
// exchange is bounded by the socket.
func (a *attempt) newRequest(method string, u *url.URL, header http.Header, body []byte) *http.Request {
	request := (&http.Request{
		Method: method, URL: u, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Close: a.closes(header),
	}).WithContext(a.ctx)
	if len(body) > 0 {
		// for redirects that keep it, and idle connections
		request.GetBody = func() (io.ReadCloser, error) { return newBody(body), nil }
		request.Body = newBody(body)
		request.ContentLength = int64(len(body))
	}
	if _, ok := header["User-Agent"]; !ok && a.prober.options.UserAgent != "" {
		header["User-Agent"] = []string{a.prober.options.UserAgent}
	}
	a.prober.sign(a.ctx, header)
	if a.traceID != "" {
		header["Traceparent"] = []string{traceparent(a.traceID)}
	}
	return request
}

// smallRequest is the size of a request in bytes up to which the socket's buffer is never full.
const smallRequest = 8 << 10

// requestSize is about how many bytes a request has, its head included.
func requestSize(r *http.Request) int64 {
	size := r.ContentLength + int64(len(r.URL.Path)+len(r.URL.RawQuery))
	for name, values := range r.Header {
		for _, value := range values {
			size += int64(len(name) + len(value))
		}
	}
	return size
}

// closes reports whether a request tells the server that its connection is for one exchange. One that asks for another
// protocol has Connection: Upgrade alone, as from net/http's transport.
func (a *attempt) closes(header http.Header) bool {
	switches := header.Get("Upgrade") != "" && httpguts.HeaderValuesContainsToken(header["Connection"], "Upgrade")
	return !a.staysOpen && !switches
}

// newBody is a request's body; it can be read once.
func newBody(body []byte) *requestBody { return &requestBody{bytes.NewReader(body)} }

type requestBody struct{ *bytes.Reader }

func (*requestBody) Close() error { return nil }

// hostPort is the ASCII host and the port that a URL leads to.
func hostPort(u *url.URL) (string, uint16, error) {
	host, err := module.ResolvableHost(u.Hostname())
	if err != nil {
		return "", 0, err
	}
	port := uint16(80)
	if u.Scheme == "https" {
		port = 443
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return "", 0, fmt.Errorf("port %q is out of range, want 1 to 65535", text)
		}
		port = uint16(n)
	}
	return host, port, nil
}

// withoutPort is the host of a Host header.
func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// newTraceID returns a random trace ID (W3C Trace Context, section 3.2.2.3): 32 hexadecimal digits, not all zero.
func newTraceID() string { return randomHex(16) }

// traceparent is the header of one request of a trace: version 00, a new parent ID, sampled.
func traceparent(traceID string) string { return "00-" + traceID + "-" + randomHex(8) + "-01" }

func randomHex(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // fails never (crypto/rand)
	id[0] |= 1           // never all zero
	return hex.EncodeToString(id)
}

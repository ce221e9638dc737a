package faultlab

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Proxy is one that works, and remembers what it was asked. It knows the names lab.test and those under it: they are
// 127.0.0.1.
type Proxy struct {
	URL string // with the user name and password, where it wants them

	user, password string // wanted; empty for none
	ctx            context.Context

	mu    sync.Mutex // guards asked
	asked []ProxyRequest
}

// ProxyRequest is what a proxy was asked for.
type ProxyRequest struct {
	Method string      // such as CONNECT or GET; SOCKS5 for that protocol
	Target string      // host:port of a tunnel, or the URL in absolute form
	Header http.Header // nil for SOCKS
	User   string      // that was given, as user:password; empty for none
}

// Requests returns what the proxy was asked so far, refused requests included.
func (p *Proxy) Requests() []ProxyRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *Proxy) note(r ProxyRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r)
}

// The user name and password that proxies want which want one.
const (
	ProxyUser     = "lab"
	ProxyPassword = "secret"
)

// HTTPProxy is an HTTP proxy: CONNECT, and requests in absolute form.
func HTTPProxy(h Host) *Proxy { h.Helper(); return newHTTPProxy(h, "", "") }

// HTTPProxyWithPassword is an HTTP proxy that answers 407 to who does not give ProxyUser and ProxyPassword.
func HTTPProxyWithPassword(h Host) *Proxy {
	h.Helper()
	return newHTTPProxy(h, ProxyUser, ProxyPassword)
}

func newHTTPProxy(h Host, user, password string) *Proxy {
	h.Helper()
	p := &Proxy{user: user, password: password}
	end := p.begin()
	address := serveTCP(h, func(raw *net.TCPConn) { p.serve(raw, raw) })
	h.Cleanup(end) // before the server waits for its handlers: cleanups run last in, first out
	p.URL = "http://" + p.userinfo() + address
	return p
}

// HTTPSProxy is HTTPProxy spoken to over TLS, with the lab's certificate.
func HTTPSProxy(h Host) *Proxy {
	h.Helper()
	p := new(Proxy)
	end := p.begin()
	address := serveTLS(h, secured("http/1.1"), func(conn *tls.Conn, raw *net.TCPConn) { p.serve(conn, raw) })
	h.Cleanup(end)
	p.URL = "https://" + address
	return p
}

// begin makes the context that every connection to a target ends with, and returns its end.
func (p *Proxy) begin() context.CancelFunc {
	ctx, cancel := context.WithCancel(context.Background())
	p.ctx = ctx
	return cancel
}

func (p *Proxy) userinfo() string {
	if p.user == "" {
		return ""
	}
	return p.user + ":" + p.password + "@"
}

// serve answers one request on a connection, raw being its socket.
func (p *Proxy) serve(client net.Conn, raw *net.TCPConn) {
	in := bufio.NewReader(client)
	request, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	user := basicAuth(request.Header.Get("Proxy-Authorization"))
	p.note(ProxyRequest{Method: request.Method, Target: request.RequestURI, Header: request.Header, User: user})
	switch {
	case p.user != "" && user != p.user+":"+p.password:
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(client, proxyAnswer(http.StatusProxyAuthRequired))
		fin(raw)
	case request.Method == http.MethodConnect:
		p.connect(client, raw, in, request.Host)
	default:
		p.forward(client, raw, request)
	}
}

// basicAuth is the user:password of a header of RFC 7617; empty when it has none.
func basicAuth(header string) string {
	encoded, _ := strings.CutPrefix(header, "Basic ")
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return string(decoded)
}

// proxyAnswer is a proxy's answer with an empty body.
func proxyAnswer(status int) string {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\n", status, http.StatusText(status))
	if status == http.StatusProxyAuthRequired {
		head += "Proxy-Authenticate: Basic realm=\"lab\"\r\n"
	}
	return head + "\r\n"
}

func (p *Proxy) connect(client net.Conn, raw *net.TCPConn, in io.Reader, address string) {
	target, err := p.dial(p.ctx, "tcp", address)
	if err != nil {
		_, _ = io.WriteString(client, proxyAnswer(http.StatusBadGateway))
		fin(raw)
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.splice(client, raw, in, target.(*net.TCPConn))
}

// dial connects to a target; the lab's names are 127.0.0.1.
func (p *Proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial target %q: %w", address, err)
	}
	if host == "lab.test" || strings.HasSuffix(host, ".lab.test") {
		host = "127.0.0.1"
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// splice passes bytes both ways until both sides have ended. A FIN is passed on as a FIN, the target's RST as a RST.
func (p *Proxy) splice(client net.Conn, raw *net.TCPConn, in io.Reader, target *net.TCPConn) {
	stop := context.AfterFunc(p.ctx, func() { _ = target.Close() })
	defer stop()
	defer func() { _ = target.Close() }()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(target, in)
		_ = target.CloseWrite()
	})
	_, err := io.Copy(client, target)
	if errors.Is(err, syscall.ECONNRESET) {
		reset(raw)
	} else {
		_ = raw.CloseWrite()
	}
	up.Wait()
}

// forward asks the target itself and passes its answer on.
func (p *Proxy) forward(client net.Conn, raw *net.TCPConn, request *http.Request) {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: p.dial}
	out := request.Clone(p.ctx)
	out.RequestURI = ""
	out.Header.Del("Proxy-Authorization")
	out.Header.Del("Proxy-Connection")
	response, err := transport.RoundTrip(out)
	if err != nil {
		_, _ = io.WriteString(client, proxyAnswer(http.StatusBadGateway))
		fin(raw)
		return
	}
	defer func() { _ = response.Body.Close() }()
	response.Close = true
	if err := response.Write(client); errors.Is(err, syscall.ECONNRESET) {
		reset(raw)
		return
	}
	fin(raw)
}

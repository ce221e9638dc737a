package prober

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/upstream"
)

// proxyFor is the proxy that the module wants for a request; nil for none.
func (a *attempt) proxyFor(request *http.Request) (*url.URL, error) {
	if a.module.Proxy == nil {
		return nil, nil
	}
	return a.module.Proxy(request)
}

// tunnel dials the proxy, which is the phase connect if it succeeds, and asks it for a way to the target: the phase
// proxy. Plain HTTP through an HTTP proxy needs no tunnel, the proxy is sent the request itself. Where the proxy cannot
// be reached the time of that is in the phase proxy, too: its failure says whom it concerns.
func (h *hop) tunnel(proxy *url.URL, host string, port uint16) error {
	began := h.attempt.elapsed()
	h.Proxy = h.attempt.module.MaskURL(proxy)
	if err := h.dialProxy(proxy, began); err != nil {
		return err
	}
	established, _ := h.socket.Established()
	h.done(result.Connect, began, established)
	if err := h.speakProxy(proxy, net.JoinHostPort(host, strconv.Itoa(int(port)))); err != nil {
		if refusal, ok := errors.AsType[*classify.Refusal](err); ok {
			h.Upstream = refusal.Upstream
		}
		h.close()
		h.fail(result.Proxy, max(began, established), h.classified(result.Proxy, err))
		return err
	}
	if h.forward == nil || h.proxyTLS {
		h.done(result.Proxy, max(began, established), h.attempt.elapsed())
	}
	return nil
}

// dialProxy resolves the proxy's name and connects to it.
func (h *hop) dialProxy(proxy *url.URL, began time.Duration) error {
	host, port, err := proxyHostPort(proxy)
	if err != nil {
		h.fail(result.Proxy, began, result.Failure{Reason: result.ProbeConfig, Origin: result.Self, Err: err})
		return err
	}
	addr, isAddr := literal(host)
	if !isAddr {
		answers, seen, err := h.attempt.resolve(host)
		if h.Lookup == nil {
			h.Lookup = seen
		}
		if err != nil {
			h.fail(result.Proxy, began, classify.Failure(lookupEvidence(seen, err, h.attempt.ending(err))))
		}
		seen.Cut()
		if err != nil {
			return err
		}
		addr, _ = families{h.attempt.module.PreferIPv6, true}.pick(answers)
	}
	h.Addr = netip.AddrPortFrom(addr, port)
	conn, wire, err := h.attempt.connect(h.Addr)
	if err != nil {
		h.Wire = wire
		h.fail(result.Proxy, began, classify.Failure(dialEvidence(wire, err, h.attempt.ending(err))))
		return err
	}
	h.own(conn)
	return nil
}

func proxyHostPort(proxy *url.URL) (string, uint16, error) {
	host, port, err := hostPort(proxy)
	if proxy.Port() == "" && (proxy.Scheme == "socks5" || proxy.Scheme == "socks5h") {
		port = 1080 // RFC 1928
	}
	return host, port, err
}

// speakProxy gets from a connection to the proxy to one to the target.
func (h *hop) speakProxy(proxy *url.URL, target string) error {
	switch proxy.Scheme {
	case "socks5", "socks5h":
		return socks(h.stream, proxy.User, target)
	case "https":
		h.proxyTLS = true
		c := h.attempt.module.TLS.Clone()
		c.ServerName, c.NextProtos = proxy.Hostname(), []string{"http/1.1"}
		h.proxying = true
		conn, _, err := handshake(h.stream, c, h)
		h.proxying = false
		if err != nil {
			return err
		}
		h.stream = conn
	}
	if h.request.URL.Scheme == "http" {
		h.forward = proxy
		h.authorizeForward()
		return nil
	}
	return h.connectThrough(proxy, target)
}

// connectThrough asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func (h *hop) connectThrough(proxy *url.URL, target string) error {
	header := h.connectHeader(proxy)
	request := (&http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target,
		Header: header}).WithContext(context.Background())
	if err := request.Write(h.stream); err != nil {
		return err
	}
	// The target's TLS server does not speak before it is spoken to, so nothing of the tunnel can be in this buffer.
	head := newHeadReader(h.stream)
	response, err := http.ReadResponse(bufio.NewReader(&roomyHead{head, h.attempt, 0}), request)
	if err != nil {
		return cmp.Or(head.exceeded(), err)
	}
	if response.StatusCode/100 == 2 { // any of them begins the tunnel
		return nil
	}
	_ = response.Body.Close() // the connection is given up with it
	return refusalOf(response)
}

var errHeadTooLarge error = classify.TooLarge("response head exceeds " + strconv.Itoa(maxResponseHead) + " bytes")

func refusalOf(response *http.Response) *classify.Refusal {
	r := &classify.Refusal{Reason: result.ProxyFailed, Text: "the proxy answered CONNECT with " +
		strconv.Quote(response.Status), Upstream: upstream.OfConnect(upstream.Answer{Status: response.StatusCode,
		StatusText: response.Status, Header: response.Header})}
	switch response.StatusCode {
	case http.StatusProxyAuthRequired:
		r.Reason = result.ProxyAuthRequired
	case http.StatusForbidden:
		r.Reason = result.ProxyDenied
	}
	for _, name := range []string{"Proxy-Status", "X-Squid-Error"} { // RFC 9209; Squid's own
		if value := response.Header.Get(name); value != "" {
			r.Text += ", " + name + " " + strconv.Quote(value)
		}
	}
	return r
}

// SOCKS 5 (RFC 1928) and its username/password method (RFC 1929).
const (
	socksVersion  = 5
	socksNoAuth   = 0
	socksPassword = 2

	socksConnect     = 1
	socksIPv4        = 1
	socksName        = 3
	socksIPv6        = 4
	socksNotAllowed  = 2
	socksPasswordVer = 1
)

// socksReplies are the meanings of RFC 1928 section 6.
var socksReplies = map[byte]string{
	1: "general failure", 2: "connection not allowed by ruleset", 3: "network unreachable", 4: "host unreachable",
	5: "connection refused", 6: "TTL expired", 7: "command not supported", 8: "address type not supported",
}

// socks asks a SOCKS 5 proxy for a connection to the target, by name: the proxy resolves it.
func socks(conn net.Conn, user *url.Userinfo, target string) error {
	methods := []byte{socksVersion, 1, socksNoAuth}
	if user != nil {
		methods = []byte{socksVersion, 2, socksNoAuth, socksPassword}
	}
	if _, err := conn.Write(methods); err != nil {
		return err
	}
	var choice [2]byte
	if _, err := io.ReadFull(conn, choice[:]); err != nil {
		return err
	}
	switch {
	case choice[0] != socksVersion:
		return &classify.Refusal{Reason: result.HTTPProtocolError,
			Text: fmt.Sprintf("the proxy does not speak SOCKS 5: its first byte is %#x", choice[0])}
	case choice[1] == socksPassword && user != nil:
		if err := socksLogin(conn, user); err != nil {
			return err
		}
	case choice[1] != socksNoAuth:
		return &classify.Refusal{Reason: result.ProxyAuthRequired,
			Text: "the proxy accepts none of our SOCKS authentication methods"}
	}
	return socksAsk(conn, target)
}

func socksLogin(conn net.Conn, user *url.Userinfo) error {
	name := user.Username()
	password, _ := user.Password()
	if len(name) > 255 || len(password) > 255 {
		return &classify.Refusal{Reason: result.ProbeConfig, Text: "SOCKS credentials are longer than 255 bytes"}
	}
	login := append([]byte{socksPasswordVer, byte(len(name))}, name...)
	login = append(append(login, byte(len(password))), password...)
	if _, err := conn.Write(login); err != nil {
		return err
	}
	var status [2]byte
	if _, err := io.ReadFull(conn, status[:]); err != nil {
		return err
	}
	if status[1] != 0 {
		return &classify.Refusal{Reason: result.ProxyAuthRequired, Text: "the proxy refused our SOCKS credentials"}
	}
	return nil
}

func socksAsk(conn net.Conn, target string) error {
	host, portText, err := net.SplitHostPort(target)
	if err != nil {
		return &classify.Refusal{Reason: result.ProbeConfig, Text: err.Error()}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || len(host) > 255 {
		return &classify.Refusal{Reason: result.ProbeConfig,
			Text: fmt.Sprintf("target %q cannot be asked for by SOCKS", target)}
	}
	ask := []byte{socksVersion, socksConnect, 0}
	if addr, ok := literal(host); ok && addr.Is4() {
		ask = append(append(ask, socksIPv4), addr.AsSlice()...)
	} else if ok {
		ask = append(append(ask, socksIPv6), addr.AsSlice()...)
	} else {
		ask = append(append(ask, socksName, byte(len(host))), host...)
	}
	if _, err := conn.Write(append(ask, byte(port>>8), byte(port))); err != nil {
		return err
	}
	return socksAnswer(conn)
}

// socksAnswer reads the reply and the bound address behind it.
func socksAnswer(conn net.Conn) error {
	var head [5]byte // the fifth byte is the first of the address: a name's length
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if head[0] != socksVersion {
		return &classify.Refusal{Reason: result.HTTPProtocolError,
			Text: fmt.Sprintf("the proxy does not speak SOCKS 5: its reply begins with %#x", head[0])}
	}
	if head[1] == socksNotAllowed {
		return &classify.Refusal{Reason: result.ProxyDenied, Text: "the proxy replied: " + socksReplies[head[1]],
			Upstream: upstream.OfSOCKS(head[1])}
	}
	if head[1] != 0 {
		return &classify.Refusal{Reason: result.ProxyFailed, Upstream: upstream.OfSOCKS(head[1]),
			Text: fmt.Sprintf("the proxy replied: %s (%d)", socksReplies[head[1]], head[1])}
	}
	rest := map[byte]int{socksIPv4: 3 + 2, socksName: int(head[4]) + 2, socksIPv6: 15 + 2}[head[3]]
	if rest == 0 {
		return &classify.Refusal{Reason: result.HTTPProtocolError,
			Text: fmt.Sprintf("the proxy's reply has the unknown address type %d", head[3])}
	}
	_, err := io.ReadFull(conn, make([]byte, rest))
	return err
}

package faultlab

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// SOCKS 5 (RFC 1928) and its username/password method (RFC 1929).
const (
	socksVersion  = 5
	socksNone     = 0    // method: no authentication
	socksPassword = 2    // method: username and password
	socksNoMethod = 0xff // method: none of those offered
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4

	socksOK          = 0
	socksUnreachable = 4
	socksRefused     = 5
)

// SOCKSProxy is a SOCKS 5 proxy that wants no authentication.
func SOCKSProxy(h Host) *Proxy { h.Helper(); return newSOCKSProxy(h, "", "") }

// SOCKSProxyWithPassword is a SOCKS 5 proxy that wants ProxyUser and ProxyPassword.
func SOCKSProxyWithPassword(h Host) *Proxy {
	h.Helper()
	return newSOCKSProxy(h, ProxyUser, ProxyPassword)
}

func newSOCKSProxy(h Host, user, password string) *Proxy {
	h.Helper()
	p := &Proxy{user: user, password: password}
	end := p.begin()
	address := serveTCP(h, p.serveSOCKS)
	h.Cleanup(end) // before the server waits for its handlers: cleanups run last in, first out
	p.URL = "socks5://" + p.userinfo() + address
	return p
}

func (p *Proxy) serveSOCKS(conn *net.TCPConn) {
	method := byte(socksNone)
	if p.user != "" {
		method = socksPassword
	}
	if !socksGreeting(conn, method) {
		fin(conn)
		return
	}
	user := ""
	if method == socksPassword {
		var ok bool
		if user, ok = socksLogin(conn, p.user+":"+p.password); !ok {
			p.note(ProxyRequest{Method: "SOCKS5", User: user})
			fin(conn)
			return
		}
	}
	address, ok := socksTarget(conn)
	if !ok {
		return
	}
	p.note(ProxyRequest{Method: "SOCKS5", Target: address, User: user})
	target, err := p.dial(p.ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		socksReply(conn, socksRefused)
		fin(conn)
	case err != nil:
		socksReply(conn, socksUnreachable)
		fin(conn)
	default:
		socksReply(conn, socksOK)
		p.splice(conn, conn, conn, target.(*net.TCPConn))
	}
}

// socksGreeting reads the client's methods and chooses one, or none if it was not offered.
func socksGreeting(conn net.Conn, method byte) bool {
	methods, ok := socksMethods(conn)
	if !ok {
		return false
	}
	for _, offered := range methods {
		if offered == method {
			_, err := conn.Write([]byte{socksVersion, method})
			return err == nil
		}
	}
	_, _ = conn.Write([]byte{socksVersion, socksNoMethod})
	return false
}

// socksMethods reads the greeting: version, number of methods, methods.
func socksMethods(conn net.Conn) ([]byte, bool) {
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[0] != socksVersion {
		return nil, false
	}
	methods := make([]byte, head[1])
	_, err := io.ReadFull(conn, methods)
	return methods, err == nil
}

// socksLogin reads a user name and password, answers, and returns them as user:password.
func socksLogin(conn net.Conn, wanted string) (string, bool) {
	var version [1]byte
	if _, err := io.ReadFull(conn, version[:]); err != nil {
		return "", false
	}
	user, ok := socksString(conn)
	if !ok {
		return "", false
	}
	password, ok := socksString(conn)
	if !ok {
		return "", false
	}
	given := user + ":" + password
	status := byte(1)
	if given == wanted {
		status = 0
	}
	_, err := conn.Write([]byte{1, status})
	return given, err == nil && status == 0
}

// socksString reads a length of one byte and as many bytes.
func socksString(conn net.Conn) (string, bool) {
	var length [1]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return "", false
	}
	text := make([]byte, length[0])
	_, err := io.ReadFull(conn, text)
	return string(text), err == nil
}

// socksTarget reads a request to connect and returns its host:port.
func socksTarget(conn net.Conn) (string, bool) {
	var head [4]byte // version, command, reserved, type of address
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return "", false
	}
	host, ok := socksHost(conn, head[3])
	if !ok {
		return "", false
	}
	var port [2]byte
	_, err := io.ReadFull(conn, port[:])
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port[:])))), err == nil
}

func socksHost(conn net.Conn, kind byte) (string, bool) {
	if kind == socksName {
		return socksString(conn)
	}
	length := map[byte]int{socksIPv4: 4, socksIPv6: 16}[kind]
	bytes := make([]byte, length)
	if _, err := io.ReadFull(conn, bytes); err != nil {
		return "", false
	}
	address, ok := netip.AddrFromSlice(bytes)
	return address.String(), ok
}

// socksReply sends a reply with the bound address 0.0.0.0:0.
func socksReply(conn net.Conn, code byte) {
	_, _ = conn.Write([]byte{socksVersion, code, 0, socksIPv4, 0, 0, 0, 0, 0, 0})
}

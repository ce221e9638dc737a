package faultlab

import (
	"io"
	"net"
)

// Faults of SOCKS 5 proxies. Each returns the proxy's URL.

// socksAfterRequest returns the URL of a proxy that agrees to no authentication, reads the request to connect, and then
// does what after says.
func socksAfterRequest(h Host, after func(*net.TCPConn)) string {
	h.Helper()
	return "socks5://" + serveTCP(h, func(conn *net.TCPConn) {
		if !socksGreeting(conn, socksNone) {
			return
		}
		if _, ok := socksTarget(conn); ok {
			after(conn)
		}
	})
}

// socksAfterGreeting returns the URL of a proxy that reads the greeting, sends bytes, and keeps the connection.
func socksAfterGreeting(h Host, bytes string) string {
	h.Helper()
	return "socks5://" + serveTCP(h, func(conn *net.TCPConn) {
		if _, ok := socksMethods(conn); !ok {
			return
		}
		_, _ = io.WriteString(conn, bytes)
		hang(conn)
	})
}

// SOCKSReply answers the request to connect with a reply of RFC 1928 section 6, such as 5 for connection refused, and a
// FIN.
func SOCKSReply(h Host, code byte) string {
	h.Helper()
	return socksAfterRequest(h, func(conn *net.TCPConn) { socksReply(conn, code); fin(conn) })
}

// SOCKSReset reads the request to connect and resets.
func SOCKSReset(h Host) string { h.Helper(); return socksAfterRequest(h, reset) }

// SOCKSFin reads the request to connect and sends a FIN.
func SOCKSFin(h Host) string { h.Helper(); return socksAfterRequest(h, fin) }

// SOCKSSilent reads the request to connect and never answers.
func SOCKSSilent(h Host) string { h.Helper(); return socksAfterRequest(h, hang) }

// SOCKSNoMethod answers the greeting with 0xff: none of the methods offered is acceptable.
func SOCKSNoMethod(h Host) string {
	h.Helper()
	return socksAfterGreeting(h, "\x05\xff")
}

// SOCKSGarbage answers the greeting with an HTTP response.
func SOCKSGarbage(h Host) string {
	h.Helper()
	return socksAfterGreeting(h, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
}

// SOCKSAuthRefused chooses the username/password method and refuses what it is given: version 1, status 1, and a FIN.
// The URL has a user name and a password.
func SOCKSAuthRefused(h Host) string {
	h.Helper()
	return "socks5://" + ProxyUser + ":wrong@" + serveTCP(h, func(conn *net.TCPConn) {
		if !socksGreeting(conn, socksPassword) {
			return
		}
		_, _ = socksLogin(conn, ProxyUser+":"+ProxyPassword)
		fin(conn)
	})
}

// SOCKSGarbageReply agrees to no authentication and answers the request to connect with version 4: ten bytes, 04 00 00
// 01 and six zeros, then a FIN.
func SOCKSGarbageReply(h Host) string {
	h.Helper()
	return socksAfterRequest(h, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte{4, 0, 0, socksIPv4, 0, 0, 0, 0, 0, 0})
		fin(conn)
	})
}

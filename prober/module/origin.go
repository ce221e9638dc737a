package module

import (
	"net"
	"net/url"
	"strings"
)

// Origin is the server that a secret belongs to: scheme, host and port (RFC 6454 section 4). Another port is another
// server, and http is not https: what was entrusted to one is not sent to the other.
type Origin struct{ Scheme, Host, Port string }

// OriginOf is the origin of a URL, with the scheme's port where the URL names none.
func OriginOf(u *url.URL) Origin {
	o := Origin{Scheme: strings.ToLower(u.Scheme), Host: u.Hostname(), Port: u.Port()}
	if ascii, err := ASCIIHost(o.Host); err == nil {
		o.Host = ascii
	}
	o.Host = strings.ToLower(o.Host)
	switch {
	case o.Port != "":
	case o.Scheme == "https":
		o.Port = "443"
	case o.Scheme == "http":
		o.Port = "80"
	}
	return o
}

// String is the origin as a URL without a path, such as https://api.example.com or http://127.0.0.1:8080.
func (o Origin) String() string {
	host := o.Host
	switch {
	case o.Scheme == "https" && o.Port != "443", o.Scheme == "http" && o.Port != "80":
		host = net.JoinHostPort(host, o.Port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return o.Scheme + "://" + host
}

// MaySend decides whether secrets of the server that from leads to may be sent to where to leads: only if both are one
// origin. Everything that carries a secret from one URL to another asks it.
func MaySend(from, to *url.URL) bool {
	if from.Scheme == to.Scheme && from.Host == to.Host {
		return true // the common case, without a copy of anything
	}
	return OriginOf(from) == OriginOf(to)
}

// Package socket is about one socket and the addresses of this host.
package socket

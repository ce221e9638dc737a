package web

import (
	"context"
	"net"
	"syscall"
)

// net/http writes an answer in pieces, the first of 4 KiB, and each is a packet that wakes the asker for nothing. So the kernel is told to hold
// them back until the last one is there.

// connKey is what the connection of a request is found by in its context.
type connKey struct{}

// ConnContext is for http.Server: it lets handlers know the connection.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if layered, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = layered.NetConn() // below TLS
	}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			return context.WithValue(ctx, connKey{}, raw)
		}
	}
	return ctx
}

// corked writes in one piece, where the connection is one that can be corked.
func corked(ctx context.Context, write func()) {
	raw, ok := ctx.Value(connKey{}).(syscall.RawConn)
	if !ok {
		write()
		return
	}
	cork(raw, 1)
	defer cork(raw, 0)
	write()
}

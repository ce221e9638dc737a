package web

import (
	"context"
	"net"
	"net/http"
	"syscall"
)

// net/http writes an answer in pieces, the first of 4 KiB, and each is a packet that wakes the client. So the kernel
// keeps them back until the last one is written.

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

// writeCorked writes an answer in one piece, where the connection is one that can be corked.
func writeCorked(w http.ResponseWriter, r *http.Request, answer []byte) {
	raw, ok := r.Context().Value(connKey{}).(syscall.RawConn)
	if !ok {
		_, _ = w.Write(answer) // fails only if the client is gone
		return
	}
	cork(raw, 1)
	defer cork(raw, 0)
	_, _ = w.Write(answer)                    // as above
	_ = http.NewResponseController(w).Flush() // what net/http has kept back of it; as above
}

// Package faultlab has servers that misbehave on purpose, one constructor a fault, for the tests. Each constructor's
// comment says what happens on the wire. Faults that need a network of their own are in package netlab.
//
// A constructor takes the Host that owns the server and returns the URL to probe; resolvers return host:port, proxies a
// *Proxy.
package faultlab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
)

// Host owns the servers: *testing.T and *testing.B are Hosts. Cleanup's functions run when it is done with them.
type Host interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// conns are the connections of one server: it closes what is open when it is told to stop, and waits for who serves
// them.
type conns struct {
	mu   sync.Mutex // guards open and done
	open map[net.Conn]struct{}
	done bool
	wait sync.WaitGroup
}

// add takes a connection; it reports false, and closes it, when the server has stopped.
func (c *conns) add(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		_ = conn.Close() // nobody serves it
		return false
	}
	c.open[conn] = struct{}{}
	c.wait.Add(1)
	return true
}

func (c *conns) remove(conn net.Conn) {
	c.mu.Lock()
	delete(c.open, conn)
	c.mu.Unlock()
	_ = conn.Close() // the fault may have closed it already
	c.wait.Done()
}

func (c *conns) stop() {
	c.mu.Lock()
	c.done = true
	for conn := range c.open {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.wait.Wait()
}

// listen listens on loopback until the host is done.
func listen(h Host, network, address string) *net.TCPListener {
	h.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		h.Fatalf("faultlab: listen on %s: %v", address, err)
	}
	return l.(*net.TCPListener)
}

// serveTCP gives each connection to handle, on a goroutine of its own, and closes it afterwards. It returns the
// address.
func serveTCP(h Host, handle func(conn *net.TCPConn)) string {
	h.Helper()
	return serveOn(h, listen(h, "tcp4", "127.0.0.1:0"), handle)
}

func serveOn(h Host, l *net.TCPListener, handle func(conn *net.TCPConn)) string {
	c := &conns{open: map[net.Conn]struct{}{}}
	c.wait.Add(1)
	go func() {
		defer c.wait.Done()
		for {
			conn, err := l.AcceptTCP()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				runtime.Gosched() // out of descriptors, for now
				continue
			}
			if !c.add(conn) {
				return
			}
			go func() {
				defer c.remove(conn)
				handle(conn)
			}()
		}
	}()
	h.Cleanup(func() {
		_ = l.Close() // ends the accepting
		c.stop()
	})
	return l.Addr().String()
}

// serveTLS is serveTCP behind a TLS handshake by the configuration. A handshake that fails ends the connection.
func serveTLS(h Host, config *tls.Config, handle func(conn *tls.Conn, raw *net.TCPConn)) string {
	h.Helper()
	return serveTCP(h, func(raw *net.TCPConn) {
		conn := tls.Server(raw, config)
		if conn.Handshake() != nil {
			return
		}
		handle(conn, raw)
	})
}

// readRequest reads one HTTP/1 request with its body. It reports false when the client went away before.
func readRequest(conn net.Conn) bool {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

// readHead reads an HTTP/1 request's head and leaves its body unread, but for what came with the head.
func readHead(conn net.Conn) bool {
	_, err := http.ReadRequest(bufio.NewReader(conn))
	return err == nil
}

// waitGone waits until the client, or the end of the server, closes the connection, and reads nothing else.
func waitGone(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn) // ends when either side closes
}

// reset closes a connection with a RST: SO_LINGER with a time of 0 (socket(7)). What was written before has left this
// host.
func reset(conn *net.TCPConn) {
	flush(conn)
	_ = conn.SetLinger(0) // fails only on a connection that is closed
	_ = conn.Close()
}

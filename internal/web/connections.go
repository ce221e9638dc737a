package web

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// How clients' connections are bounded, so that nobody who merely connects takes the file descriptors that probes need,
// or keeps others out.
//
//   - When there are more than the limit, the one that has been without a request for longest is closed, whether it has
//     had one before or not. A client whose idle connection was closed makes another one (RFC 9112 section 9.3.1).
//   - A connection has a request while a handler answers it: a head that does not end, or a body that does not come,
//     is none.
//   - A new connection has the time of grace to send its request. Until then the next one waits, and those behind it
//     wait in the kernel's queue (listen(2)). One whose bytes have arrived is not closed, however long they wait to be
//     read: of thousands that arrive at once none is closed because this program is slow.
//   - Where no connection may be closed for the time of patience, the new one is. That no request lasts is the work of
//     the deadlines and of Requests.

const (
	grace    = 250 * time.Millisecond // a new connection is left without a request, and the next one waits for room
	settle   = time.Second            // a connection whose request was answered is left to send the rest of its answer
	patience = 5 * time.Second        // the next one waits where none may be closed
	maxLooks = 64                     // connections that are asked for bytes before one is closed
)

// Connections bounds the clients' connections of a server.
type Connections struct {
	limit  int
	closed func() // is called for each connection that is closed to make room

	mu      sync.Mutex // guards what follows
	open    map[net.Conn]*client
	idle    *list.List    // of *client, in the order in which they came to be without a request
	changed chan struct{} // is closed when a connection ends, or is without a request; nil while nobody waits
}

// client is a connection: how many of its requests are being answered (HTTP/2 has several), where it is in the list of
// those without one, and from when on it may be closed there.
type client struct {
	conn      net.Conn
	answering int
	element   *list.Element
	from      time.Time
}

// NewConnections returns a bound on connections; closed is called for each that is closed to make room.
func NewConnections(limit int, closed func()) *Connections {
	return &Connections{limit: limit, closed: closed, open: map[net.Conn]*client{}, idle: list.New()}
}

// Open is how many connections there are.
func (c *Connections) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// Bound has a server's connections bounded. It is called before the server serves.
func (c *Connections) Bound(server *http.Server) {
	server.ConnState = c.state
	inner, handler := server.ConnContext, server.Handler
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if inner != nil {
			ctx = inner(ctx, conn)
		}
		return context.WithValue(ctx, boundKey{}, conn)
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(boundKey{}).(net.Conn)
		c.answer(conn, 1)
		defer c.answer(conn, -1)
		handler.ServeHTTP(w, r)
	})
}

// boundKey is the key of a request's connection in its context.
type boundKey struct{}

// answer notes that one more, or one less, request of a connection is being answered.
func (c *Connections) answer(conn net.Conn, change int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.open[conn]
	if known == nil {
		return // closed to make room
	}
	known.answering += change
	c.queue(known, settle)
}

// state notes what became of a connection (http.Server.ConnState). For a new one it waits until there is room: net/http
// calls it between two accepts.
func (c *Connections) state(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew {
		c.makeRoom(conn)
		c.open[conn] = &client{conn: conn}
	}
	known := c.open[conn]
	if known == nil {
		return // closed to make room
	}
	switch state {
	case http.StateNew, http.StateActive: // a head was read: the handler begins
		c.queue(known, grace)
	case http.StateIdle:
		c.queue(known, 0)
	case http.StateClosed, http.StateHijacked:
		c.remove(known)
		delete(c.open, conn)
		c.tell()
	}
}

// queue puts a connection at the end of those without a request, to be left alone for a time, unless it has one. The
// caller holds mu.
func (c *Connections) queue(known *client, leave time.Duration) {
	if known.answering > 0 {
		c.remove(known)
		return
	}
	known.from = time.Now().Add(leave)
	if known.element == nil {
		known.element = c.idle.PushBack(known)
	} else {
		c.idle.MoveToBack(known.element)
	}
	c.tell()
}

// remove takes a connection from those without a request. The caller holds mu.
func (c *Connections) remove(known *client) {
	if known.element != nil {
		c.idle.Remove(known.element)
		known.element = nil
	}
}

// tell wakes those who wait for room. The caller holds mu.
func (c *Connections) tell() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// makeRoom waits for room for a new connection. Then it closes the one that is without a request for longest, or the
// new one where none may be closed for too long. The caller holds mu, which is free while it waits.
func (c *Connections) makeRoom(fresh net.Conn) {
	for end := time.Now().Add(patience); len(c.open) >= c.limit; {
		now := time.Now()
		longest, next := c.longest(now, end)
		if longest == nil && now.Before(end) {
			c.wait(next.Sub(now))
			continue
		}
		c.closed()
		if longest == nil {
			hangUp(fresh)
			return
		}
		conn := c.idle.Remove(longest).(*client).conn
		delete(c.open, conn)
		hangUp(conn)
	}
}

// longest is, of the connections without a request, the longest of those that may be closed now. Where none may it is
// nil, and one may be at the returned time, which is the end at the latest. The caller holds mu.
func (c *Connections) longest(now, end time.Time) (*list.Element, time.Time) {
	for e, looks := c.idle.Front(), 0; e != nil && looks < maxLooks; e = e.Next() {
		unused := e.Value.(*client)
		if unused.from.After(now) {
			if unused.from.Before(end) {
				end = unused.from
			}
			continue
		}
		looks++
		if !arrived(unused.conn) {
			return e, now
		}
	}
	return nil, end
}

// wait waits for a change, for a time at most. The caller holds mu, which is free meanwhile.
func (c *Connections) wait(atMost time.Duration) {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	changed := c.changed
	c.mu.Unlock()
	defer c.mu.Lock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

// arrived reports whether bytes of a connection wait to be read: its client has sent something, and it is this
// program's turn.
func arrived(conn net.Conn) bool {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	waits := false
	if err == nil {
		_ = control.Control(func(fd uintptr) { waits = peek(fd) }) // fails only on a closed connection
	}
	return waits
}

// hangUp closes a connection without a word: TLS would wait for its alert to be taken.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close() // net/http closes it as well
}

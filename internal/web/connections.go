package web

import (
	"container/list"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// How clients' connections are bounded, so that nobody who merely connects takes the file descriptors that probes need, or keeps others out.
//
//   - When there are more than the limit, the one that has been without a request for longest is closed, whether it has had one before or not. A client
//     whose idle connection was closed makes another one (RFC 9112 section 9.3.1).
//   - Where each has a request under way, the new one is closed. That none of them lasts is the work of the deadlines and of Requests.

// Connections bounds the clients' connections. Its State is for http.Server.
type Connections struct {
	limit  int
	closed func() // is told of each connection that is closed to make room

	mu   sync.Mutex                 // guards what follows
	open map[net.Conn]*list.Element // nil for one with a request under way
	idle *list.List                 // of net.Conn without one, the longest first
}

// NewConnections returns a bound on connections; closed is called for each that is closed to make room.
func NewConnections(limit int, closed func()) *Connections {
	return &Connections{limit: limit, closed: closed, open: map[net.Conn]*list.Element{}, idle: list.New()}
}

// Open is how many connections there are.
func (c *Connections) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// State notes what became of a connection (http.Server.ConnState).
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.open[conn]
	if !known && state != http.StateNew {
		return // closed to make room
	}
	if element != nil {
		c.idle.Remove(element)
		c.open[conn] = nil
	}
	switch state {
	case http.StateNew, http.StateIdle:
		if len(c.open) >= c.limit && !known {
			c.makeRoom(conn)
		}
		c.open[conn] = c.idle.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
}

// makeRoom closes the connection that is without a request for longest, or the new one where there is none. The caller holds mu.
func (c *Connections) makeRoom(fresh net.Conn) {
	c.closed()
	longest := c.idle.Front()
	if longest == nil {
		hangUp(fresh)
		return
	}
	conn := c.idle.Remove(longest).(net.Conn)
	delete(c.open, conn)
	hangUp(conn)
}

// hangUp closes a connection without a word: TLS would wait for its alert to be taken.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close() // net/http closes it as well
}

// Requests bounds the requests to /probe under way, so that as many as anybody may send leave room for /metrics.
type Requests struct {
	adHoc, named chan struct{}
}

// NewRequests returns the bounds for so many connections: a half may ask for ad hoc probes, a quarter for configured targets by name.
func NewRequests(connections int) *Requests {
	return &Requests{adHoc: make(chan struct{}, max(1, connections/2)), named: make(chan struct{}, max(1, connections/4))}
}

// enter reports whether a request may go on, and returns what ends it. A nil *Requests bounds nothing.
func (b *Requests) enter(q *question) (leave func(), err error) {
	if b == nil {
		return func() {}, nil
	}
	room, kind := b.adHoc, "of targets that are not configured"
	if q.configured != nil {
		room, kind = b.named, "by target=NAME"
	}
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	default:
		return nil, fmt.Errorf("the exporter has %d requests to /probe %s under way, and no room for more: ask again later, or raise its limit of file descriptors", cap(room), kind)
	}
}

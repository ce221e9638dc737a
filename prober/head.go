package prober

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// How many fields a head may have. Bytes alone do not bound memory: net/http makes a map of a head, and a field without
// a name's worth of bytes takes a hundred of memory. So the lines of an HTTP/1 head are counted on their way to
// net/http, those of HTTP/2 in fieldblock.go.

// maxHeadFields bounds the fields of a response, those of its 1xx responses and of its trailer included.
const maxHeadFields = 1000

var errTooManyFields error = classify.TooLarge("response head has more than " + strconv.Itoa(maxHeadFields) + " fields")

// headLines follows an HTTP/1 stream to the end of the final response's head, and counts the lines after the status
// lines. Lines that continue a field (RFC 9112 section 5.2) count, too. It takes lines apart as net/textproto does:
// they end with LF, and an empty one, with or without CR, ends a head.
type headLines struct {
	lines  int
	code   [3]byte // of the status line
	digits int     // of it that are known
	part   statusPart
	within bool // the line has more than a CR
	done   bool
}

// statusPart is what of a status line is read next.
type statusPart int

const (
	protocolPart statusPart = iota
	gapPart                 // spaces before the code
	codePart
	fieldsPart // the line is over
)

// watch follows more bytes, and reports whether there are too many lines by now.
func (l *headLines) watch(p []byte) bool {
	for len(p) > 0 && !l.done && l.lines <= maxHeadFields {
		end := bytes.IndexByte(p, '\n')
		line, rest := p, []byte(nil)
		if end >= 0 {
			line, rest = p[:end], p[end+1:]
		}
		if l.part != fieldsPart {
			l.status(line)
		}
		l.within = l.within || len(line) > 1 || len(line) == 1 && line[0] != '\r'
		if end >= 0 {
			l.endLine()
		}
		p = rest
	}
	return l.lines > maxHeadFields
}

// status reads the code of a status line.
func (l *headLines) status(line []byte) {
	for _, b := range line {
		switch {
		case l.part == protocolPart && b == ' ':
			l.part = gapPart
		case l.part == gapPart && b != ' ' || l.part == codePart && l.digits < len(l.code):
			l.part = codePart
			l.code[l.digits] = b
			l.digits++
		}
	}
}

func (l *headLines) endLine() {
	switch {
	case l.part != fieldsPart:
		l.part = fieldsPart
	case l.within:
		l.lines++
	case l.digits == len(l.code) && l.code[0] == '1' && string(l.code[:]) != "101":
		l.part, l.digits = protocolPart, 0 // another head follows (RFC 9110 section 15.2)
	default:
		l.done = true
	}
	l.within = false
}

// headConn is a connection that speaks HTTP/1, whose head has a bounded number of fields.
type headConn struct {
	net.Conn

	mu      sync.Mutex // guards what follows: net/http reads on a goroutine of its own
	attempt *attempt
	lines   headLines
	size    int    // bytes of the head
	first   []byte // of them
}

// tlsAlert begins a TLS alert of any version: its type, and the first byte of the version (RFC 8446 section 5.1).
var tlsAlert = []byte{21, 3}

// alerted reports whether the server answered with a TLS alert, without encryption.
func (c *headConn) alerted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Equal(c.first, tlsAlert)
}

func (c *headConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	size, fields, attempt, bound := c.watch(p[:n])
	if bound == nil {
		bound = attempt.forHead(size, fields)
	}
	if bound != nil {
		return 0, bound
	}
	return n, err
}

// watch follows more bytes. It returns how long the head is, its fields, of what attempt, and which bound it exceeds.
func (c *headConn) watch(p []byte) (size, fields int, a *attempt, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lines.done {
		c.size += len(p)
	}
	c.first = append(c.first, p[:min(len(p), len(tlsAlert)-len(c.first))]...)
	if c.lines.watch(p) {
		err = errTooManyFields
	}
	return c.size, c.lines.lines, c.attempt, err
}

// exceeded reports whether the head has too many fields.
func (c *headConn) exceeded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines.lines > maxHeadFields
}

// again begins with the response to another attempt on the same connection.
func (c *headConn) again(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines, c.size, c.first, c.attempt = headLines{}, 0, nil, a
}

// headReader reads one head of at most maxResponseHead bytes and maxHeadFields fields.
type headReader struct {
	from  io.Reader
	left  int
	lines headLines
}

func newHeadReader(from io.Reader) *headReader { return &headReader{from: from, left: maxResponseHead} }

func (r *headReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errHeadTooLarge
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	if r.lines.watch(p[:n]) {
		return 0, errTooManyFields
	}
	return n, err
}

// exceeded is the bound that the head exceeds; nil if it exceeds none.
func (r *headReader) exceeded() error {
	switch {
	case r.lines.lines > maxHeadFields:
		return errTooManyFields
	case r.left <= 0:
		return errHeadTooLarge
	}
	return nil
}

// refuseStatus refuses a response whose status is no status code (RFC 9110 section 15), which net/http and quic-go let
// pass: a number below 100, a negative one, one of more digits.
func (h *hop) refuseStatus() error {
	if code := h.response.StatusCode; code >= 100 && code <= 999 {
		return nil
	}
	status := h.response.Status
	_ = h.response.Body.Close() // the connection is given up with it
	h.response = nil
	return &classify.Refusal{Reason: result.HTTPProtocolError,
		Text: fmt.Sprintf("the status %q has no code of three digits from 100", status)}
}

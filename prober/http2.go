package prober

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/socket"
)

// net/http's HTTP/2 forgets why a connection ended when something else fails in the same moment: a write's errno takes
// the place of the GOAWAY that lies in the receive buffer, and a read loop that ends before the request leaves nothing
// but "could not be established". So the frames are watched as they pass, between TLS and net/http.

// frameHeader is the length of a frame's header (RFC 9113 section 4.1).
const frameHeader = 9

// h2conn is a TLS connection whose incoming frames are watched.
type h2conn struct {
	*tlsConn
	start  time.Time     // the attempt's beginning
	budget *flood.Budget // of frames

	mu    sync.Mutex // guards what follows
	of    *attempt
	seen  classify.Frames
	head  []byte // of the frame under way, then what is wanted of its payload
	rest  int    // payload bytes still to come
	size  int    // of the whole payload
	got   int64  // frames since they were last charged
	used  int64  // useful bytes in them
	lost  bool   // these are no frames
	block fieldBlocks
	begun bool
}

func (c *h2conn) Read(p []byte) (n int, err error) {
	defer guard.Catch(&err)
	n, err = c.tlsConn.Read(p)
	size, fields, attempt, bound := c.follow(p[:n])
	if bound == nil {
		bound = attempt.forHead(size, fields)
	}
	if bound != nil {
		return 0, bound
	}
	return n, err
}

// follow follows more bytes. It returns how long the heads are, their fields, of what attempt, and which bound the peer
// exceeds.
func (c *h2conn) follow(p []byte) (size, fields int, a *attempt, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch(p)
	flood := c.budget.Charge(c.got, c.used)
	if c.got, c.used = 0, 0; flood != nil {
		return c.seen.HeadBytes, c.block.fields, c.of, flood
	}
	if c.seen.TooMany = c.block.fields > maxHeadFields; c.seen.TooMany {
		err = errTooManyFields
	}
	return c.seen.HeadBytes, c.block.fields, c.of, err
}

// watch follows the frames' boundaries. The caller holds mu.
func (c *h2conn) watch(p []byte) {
	if !c.begun && len(p) > 0 {
		c.begun = true
		c.lost = bytes.HasPrefix(p, []byte("HTTP/"))
		c.seen.HTTP1 = c.lost
	}
	for len(p) > 0 && !c.lost {
		if need := frameHeader - len(c.head); need > 0 {
			take := min(need, len(p))
			c.head, p = append(c.head, p[:take]...), p[take:]
			if len(c.head) < frameHeader {
				return
			}
			c.rest = int(c.head[0])<<16 | int(c.head[1])<<8 | int(c.head[2])
			c.size = c.rest
			c.got += frameUnits(http2.FrameType(c.head[3]))
			c.begin()
		}
		take := min(c.rest, len(p))
		if more := frameHeader + c.wanted() - len(c.head); more > 0 {
			c.head = append(c.head, p[:min(take, more)]...)
		}
		if kind := http2.FrameType(c.head[3]); kind == http2.FrameHeaders || kind == http2.FrameContinuation {
			c.block.watch(p[:take])
		}
		p, c.rest = p[take:], c.rest-take
		if c.rest == 0 {
			c.frame()
		}
	}
}

// frameUnits is how many units a frame is.
func frameUnits(kind http2.FrameType) int64 {
	if kind == http2.FramePriority || kind > http2.FrameContinuation {
		return foreignFrame
	}
	return 1
}

// wanted is how many bytes of a frame's payload are wanted: a GOAWAY's code, the length of padding.
func (c *h2conn) wanted() int {
	switch {
	case http2.FrameType(c.head[3]) == http2.FrameGoAway:
		return 8
	case http2.FrameType(c.head[3]) == http2.FrameData && http2.Flags(c.head[4]).Has(http2.FlagDataPadded):
		return 1
	}
	return 0
}

// useful is how many bytes of a complete frame's payload bring the response forward.
func (c *h2conn) useful() int {
	switch http2.FrameType(c.head[3]) {
	case http2.FrameHeaders, http2.FrameContinuation:
		return c.size // bounded by maxResponseHead and maxInformations
	case http2.FrameData:
		if len(c.head) > frameHeader {
			return max(0, c.size-1-int(c.head[frameHeader]))
		}
		return c.size
	}
	return 0
}

// begin takes note of a frame whose header is here.
func (c *h2conn) begin() {
	kind := http2.FrameType(c.head[3])
	if kind != http2.FrameHeaders && kind != http2.FrameContinuation {
		return
	}
	c.block.begin(kind, http2.Flags(c.head[4]), c.rest)
	c.seen.HeadBytes += c.rest
	c.seen.HeadTooLarge = c.seen.HeadBytes >= maxResponseHead/2 // HPACK may halve it, and net/http's error does not say
	if c.seen.HeadAt == 0 {
		c.seen.HeadAt = time.Since(c.start)
	}
}

// frame takes note of a frame that is complete. A connection has one stream of ours.
func (c *h2conn) frame() {
	c.used += int64(c.useful())
	kind, flags := http2.FrameType(c.head[3]), http2.Flags(c.head[4])
	if (kind == http2.FrameData || kind == http2.FrameHeaders) && flags.Has(http2.FlagDataEndStream) {
		c.seen.Ended = true
	}
	if kind == http2.FrameGoAway && len(c.head) == frameHeader+8 && !c.seen.GoAway {
		c.seen.GoAway = true
		c.seen.GoAwayAt = time.Since(c.start)
		c.seen.GoAwayCode = http2.ErrCode(binary.BigEndian.Uint32(c.head[frameHeader+4:]))
	}
	c.head = c.head[:0]
}

// soFar is what the frames said, on a connection that may still be open.
func (c *h2conn) soFar() classify.Frames {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// again resets the state of the stream that has ended: another begins on the same connection.
func (c *h2conn) again(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = a
	c.seen.HeadAt, c.seen.HeadBytes, c.seen.HeadTooLarge, c.seen.Ended = 0, 0, false, false
	c.block.fields = 0
}

// frames returns what the frames said, those included that net/http had not read when the connection ended.
func (c *h2conn) frames() classify.Frames {
	_, _ = io.Copy(io.Discard, io.LimitReader(c, socket.MaxUnread)) // the connection is closed: this ends
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

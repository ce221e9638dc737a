package dns

import (
	"cmp"
	"encoding/binary"
	"io"
	"net"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// recorder is a connection of Go's resolver, watched. It is used by one goroutine, one question at a time. Go's
// resolver gets only what answers its question, and of that only records of the name that it asked for (dns_answer.go);
// when a question is not waited for any longer it gets an answer without records.
type recorder struct {
	net.Conn
	lookup   *lookup
	server   string
	network  string
	exchange int       // the question under way
	asked    *question // nil before the first
	pending  []byte    // of an answer over TCP, with its length before it: what has not been read
}

// packetRecorder is a recorder over UDP: Go's resolver tells the transports apart by the interface.
type packetRecorder struct {
	*recorder
	net.PacketConn
}

// The methods that both embedded values have.
func (c *packetRecorder) Close() error { return c.Conn.Close() }

func (c *packetRecorder) LocalAddr() net.Addr { return c.Conn.LocalAddr() }

func (c *packetRecorder) SetDeadline(t time.Time) error { return c.recorder.SetDeadline(t) }

func (c *packetRecorder) SetReadDeadline(t time.Time) error { return c.recorder.SetDeadline(t) }

func (c *packetRecorder) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(t) }

// SetDeadline sets the deadline of Go's resolver, unless ours has passed.
func (c *recorder) SetDeadline(t time.Time) error { return c.lookup.setDeadline(c.Conn, t) }

func (c *recorder) Write(p []byte) (sent int, err error) {
	defer func() { c.lookup.catchPanic(guard.Recovered(recover()), &err) }()
	message := p
	if c.network == "tcp" && len(p) > 2 {
		message = p[2:] // RFC 1035 section 4.2.2: two bytes of length
	}
	began := time.Since(c.lookup.start)
	n, err := c.Conn.Write(p)
	e := newExchange(c.server, c.network, began, time.Since(c.lookup.start), err)
	e.Sent = err == nil
	if c.asked = readQuestion(message); c.asked != nil {
		e.Question = c.asked.String()
	}
	c.exchange, c.pending = c.lookup.add(e), nil
	return n, err
}

func (c *recorder) Read(p []byte) (got int, err error) {
	defer func() { c.lookup.catchPanic(guard.Recovered(recover()), &err) }()
	if c.network == "tcp" {
		return c.readStream(p)
	}
	answers := newAnswers()
	for {
		n, err := c.Conn.Read(p)
		if err != nil && classify.OurDoing(err) {
			if late := arrived(c.Conn); late != nil {
				n, err = copy(p, late), nil
			}
		}
		if err = cmp.Or(err, answers.Charge(1, 0)); err != nil {
			nothing, err := c.failed(err)
			return copy(p, nothing), err
		}
		if c.asked != nil && c.asked.isAnsweredBy(p[:n]) { // others are ignored (RFC 5452 section 9.1)
			if answer := c.answered(p[:n]); len(answer) <= len(p) {
				return copy(p, answer), nil
			}
		}
	}
}

// readStream reads a message as a whole before it gives any of it.
func (c *recorder) readStream(p []byte) (int, error) {
	if len(c.pending) == 0 {
		message, err := readMessage(c.Conn)
		if err == nil {
			message, err = c.accept(message)
		}
		if err != nil {
			if message, err = c.failed(err); err != nil {
				return 0, err
			}
		}
		c.pending = append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// accept takes a message over TCP if it answers the question under way.
func (c *recorder) accept(message []byte) ([]byte, error) {
	if c.asked == nil || !c.asked.isAnsweredBy(message) {
		return nil, errAnotherQuestion
	}
	return c.answered(message), nil
}

// readMessage reads one message over TCP: its length is before it (RFC 1035 section 4.2.2).
func readMessage(conn net.Conn) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, message)
	return message, err
}

// failed notes why no answer came. If that is because it is not waited for any longer, it gives an answer without
// records instead of the error.
func (c *recorder) failed(err error) (nothing []byte, _ error) {
	givenUp := c.asked != nil && c.lookup.hasGivenUp() && classify.OurDoing(err)
	c.lookup.update(c.exchange, func(e *result.DNSExchange) {
		e.Err, e.GivenUp = err, givenUp
		e.Errno, _ = classify.Errno(err)
	})
	if givenUp {
		return c.asked.nothing(), nil
	}
	return nil, err
}

// answered notes the answer to the question under way, and returns it without the records of other names.
func (c *recorder) answered(message []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil {
		c.lookup.update(c.exchange, func(e *result.DNSExchange) { e.RCode = int(message[3] & 0xf) })
		return message // Go's resolver refuses it, too
	}
	removed, err := c.asked.onlyRelated(&m)
	c.lookup.update(c.exchange, func(e *result.DNSExchange) {
		e.Err, e.RCode, e.Answers, e.Truncated, e.TTL = err, int(m.RCode), len(m.Answers), m.Truncated, leastTTL(&m)
		e.Extended = extendedErrors(&m)
	})
	if hasAddress(&m) && (!m.Truncated || c.network == "tcp") {
		c.lookup.found()
	}
	if !removed {
		return message
	}
	filtered, err := m.Pack()
	if err != nil {
		return c.asked.nothing()
	}
	return filtered
}

func hasAddress(m *dnsmessage.Message) bool {
	for _, answer := range m.Answers {
		if answer.Header.Type == dnsmessage.TypeA || answer.Header.Type == dnsmessage.TypeAAAA {
			return true
		}
	}
	return false
}

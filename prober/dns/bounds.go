package dns

import (
	"cmp"
	"context"
	"net"
	"time"

	"errno_exporter/prober/flood"
	"errno_exporter/prober/socket"
)

// A name server's answer is one message. Over UDP answers to other questions are ignored (RFC 5452 section 9.1), up to
// freeAnswers of them; a connection brings freeAnswerBytes, which are several of the longest messages.
const (
	freeAnswers     = 1000
	freeAnswerBytes = 256 << 10
)

// newAnswers is the budget of answers to one question.
func newAnswers() *flood.Budget {
	return new(flood.Guard).Budget("answers", freeAnswers, flood.UnitPrice)
}

// boundedConn is a connection to a name server, which brings little.
type boundedConn struct {
	net.Conn
	reads, bytes *flood.Budget
}

// dialBounded connects to a name server.
func dialBounded(ctx context.Context, network, server string) (net.Conn, error) {
	conn, err := (&net.Dialer{Control: socket.ReportICMP}).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	g := &flood.Guard{Stop: func() { _ = conn.SetDeadline(time.Unix(1, 0)) }} // fails only on a closed connection
	return &boundedConn{conn, g.Layer("reads", flood.FreeUnits, flood.UnitPrice), g.Layer("bytes", freeAnswerBytes, 1)},
		nil
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if flood := cmp.Or(c.reads.Charge(1, 0), c.bytes.Charge(int64(n), 0)); flood != nil {
		return 0, flood
	}
	return n, err
}

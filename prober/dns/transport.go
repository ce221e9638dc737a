package dns

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/socket"
)

// How a query reaches a configured server: over UDP, TCP, TLS or HTTPS.

// carrier takes one query to a server and brings its answer. sent is called when the query has left.
type carrier func(ctx context.Context, server string, q *question, sent func()) ([]byte, error)

func (c *client) transport(protocol string) carrier {
	switch protocol {
	case "udp":
		return c.overUDP
	case "https":
		return c.overHTTPS
	case "tls":
		return func(ctx context.Context, server string, q *question, sent func()) ([]byte, error) {
			config := c.servers.TLS.Clone()
			config.ServerName, _, _ = net.SplitHostPort(server)
			config.NextProtos = nil
			conn, err := dialBounded(ctx, "tcp", server)
			if err != nil {
				return nil, err
			}
			return c.overStream(ctx, tls.Client(conn, config), nil, q.packed, sent)
		}
	default:
		return func(ctx context.Context, server string, q *question, sent func()) ([]byte, error) {
			conn, err := dialBounded(ctx, "tcp", server)
			return c.overStream(ctx, conn, err, q.packed, sent)
		}
	}
}

// overUDP asks on a socket that is made for this one question: its port is the kernel's choice at random, and as it is
// connected, the kernel drops what does not come from the server's address and port.
func (c *client) overUDP(ctx context.Context, server string, q *question, sent func()) ([]byte, error) {
	conn, err := (&net.Dialer{Control: socket.ReportICMP}).DialContext(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer c.interruptible(ctx, conn)()
	if _, err := conn.Write(q.packed); err != nil {
		return nil, err
	}
	sent()
	buffer := make([]byte, maxMessage)
	answers := newAnswers()
	for {
		n, err := conn.Read(buffer)
		if err != nil && classify.OurDoing(err) {
			if late := arrived(conn); late != nil {
				n, err = copy(buffer, late), nil
			}
		}
		if err = cmp.Or(err, answers.Charge(1, 0)); err != nil {
			return nil, err
		}
		if q.isAnsweredBy(buffer[:n]) || q.refusesEDNS(buffer[:n]) { // others are ignored (RFC 5452 section 9.1)
			return buffer[:n], nil
		}
	}
}

// overStream asks over TCP, or over TLS on it: messages have their length before them (RFC 1035 section 4.2.2).
func (c *client) overStream(ctx context.Context, conn net.Conn, err error, query []byte, sent func()) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer c.interruptible(ctx, conn)()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	sent()
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err = io.ReadFull(conn, answer)
	return answer, err
}

// overHTTPS asks by POST (RFC 8484 section 4.1).
func (c *client) overHTTPS(ctx context.Context, server string, q *question, sent func()) ([]byte, error) {
	config := c.servers.TLS.Clone()
	config.ServerName, config.NextProtos = "", []string{"h2", "http/1.1"}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		MaxResponseHeaderBytes: maxMessage, DialContext: dialBounded}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server, bytes.NewReader(q.packed))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Content-Type": {"application/dns-message"}, "Accept": {"application/dns-message"}}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	sent()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the resolver answered %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxMessage))
}

// interruptible makes a context's end the connection's deadline. What it returns undoes that.
func (c *client) interruptible(ctx context.Context, conn net.Conn) (undo func()) {
	// fails only on a closed connection
	stop := c.caught.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

package netlab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Fault prepares a fresh Net and returns the URL at which a probe from c meets the fault.
type Fault func(n *Net) string

// Name is the host name that ResolverHealthy knows.
const Name = "api.test"

// ports of the server: one that answers and one where nothing listens.
const (
	port       = 80
	closedPort = 81
)

// Healthy answers every request with status 200 and a short body.
func Healthy(f Family) Fault {
	return func(n *Net) string { return n.serve(f, answer) }
}

// HealthyKeeping answers every request, and keeps its connection for the next.
func HealthyKeeping(f Family) Fault {
	return func(n *Net) string {
		return n.serve(f, func(conn *net.TCPConn) {
			for readRequest(conn) {
				if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
					return
				}
			}
		})
	}
}

// Resolver is the address of the name server on s, as host:port.
func (f Family) Resolver() string { return netip.AddrPortFrom(f.Addr(S), 53).String() }

// ResolverHealthy is a healthy server whose name is resolved by a healthy name server on s.
func ResolverHealthy(f Family) Fault {
	return func(n *Net) string {
		n.serve(f, answer)
		conn := n.ListenPacket(S, "udp", f.Resolver())
		var running sync.WaitGroup
		running.Go(func() { answerQuestions(conn, f.Addr(S)) })
		n.host.Cleanup(func() { _ = conn.Close(); running.Wait() })
		return "http://" + Name + "/"
	}
}

// Names is a name server on a node that answers every question with one address.
func Names(n *Net, at Node, addr netip.Addr) {
	n.host.Helper()
	conn := n.ListenPacket(at, "udp", netip.AddrPortFrom(V4.Addr(at), 53).String())
	var running sync.WaitGroup
	running.Go(func() { answerQuestions(conn, addr) })
	n.host.Cleanup(func() { _ = conn.Close(); running.Wait() })
}

// serve runs a server on s. Each connection is given to talk and closed after it.
func (n *Net) serve(f Family, talk func(*net.TCPConn)) string {
	n.host.Helper()
	return n.serveAt(f.Addr(S), talk)
}

// serveAt is serve at an address of s.
func (n *Net) serveAt(addr netip.Addr, talk func(*net.TCPConn)) string {
	n.host.Helper()
	listener := n.Listen(S, "tcp", netip.AddrPortFrom(addr, port).String())
	var (
		accepting, talking sync.WaitGroup
		open               []*net.TCPConn // read when accepting has ended
	)
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed by the cleanup
			}
			peer := conn.(*net.TCPConn)
			open = append(open, peer)
			talking.Go(func() { talk(peer); _ = peer.Close() })
		}
	})
	n.host.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range open {
			_ = conn.SetLinger(0) // a FIN to a host that is gone would keep the namespace alive for minutes
			_ = conn.Close()
		}
		talking.Wait()
	})
	return httpURL(addr, port)
}

// readRequest reads one whole request. It is false when the connection ended before.
func readRequest(conn *net.TCPConn) bool {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

// answer reads a request and answers it.
func answer(conn *net.TCPConn) {
	if readRequest(conn) {
		_, _ = io.WriteString(conn, response("ok\n")) // a peer that is gone is the peer's affair
	}
}

// stayAway keeps the connection until the peer or the cleanup ends it.
func stayAway(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

// response is a response of HTTP/1.1 with a body.
func response(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// large is a body of several full segments and a tail that is a small one.
func large() string { return strings.Repeat("0123456789abcdef", 320) }

// answerQuestions answers each question with the address, or with no record if it is of the other family.
func answerQuestions(conn net.PacketConn, addr netip.Addr) {
	packet := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(packet)
		if err != nil {
			return // closed by the cleanup
		}
		if reply, err := reply(packet[:size], addr); err == nil {
			_, _ = conn.WriteTo(reply, from) // a lost answer is asked for again
		}
	}
}

func reply(question []byte, addr netip.Addr) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(question); err != nil {
		return nil, err
	}
	asked := message.Questions[0]
	header := dnsmessage.ResourceHeader{Name: asked.Name, Class: asked.Class, TTL: 60}
	message.Header.Response, message.Header.Authoritative = true, true
	message.Additionals = nil
	switch {
	case asked.Type == dnsmessage.TypeA && addr.Is4():
		message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case asked.Type == dnsmessage.TypeAAAA && addr.Is6():
		message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	return message.Pack()
}

package demo

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/guard"
)

var healthy http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, `{"status": "ok"}`)
}

// resetInstead ends the connection by a RST and sends nothing.
func resetInstead(w http.ResponseWriter, _ *http.Request) { hijack(w, "") }

// resetInBody announces 1,000 bytes, sends a few, and resets.
func resetInBody(w http.ResponseWriter, _ *http.Request) {
	hijack(w, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nthe beginning of a body")
}

// hijack writes an answer and closes with a RST: SO_LINGER with a time of 0 (socket(7)). Over loopback the answer is in
// the client's receive buffer when the write returns.
func hijack(w http.ResponseWriter, answer string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return // only over HTTP/2, which these servers do not speak
	}
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	if _, err := io.WriteString(tcp, answer); err != nil {
		return // the client has gone
	}
	_ = tcp.SetLinger(0) // fails only on a closed connection
}

// stall never answers. It ends with the client's connection.
func stall(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func rateLimit(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "30")
	w.WriteHeader(http.StatusTooManyRequests)
}

// flap answers the first request and resets the second, and so on.
func flap() http.HandlerFunc {
	var requests atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%2 == 0 {
			resetInstead(w, r)
			return
		}
		healthy(w, r)
	}
}

// serve runs a server on a free port of 127.0.0.1 and returns its URL.
func (a *authority) serve(server *http.Server) (string, error) {
	return a.serveAt(server, "127.0.0.1:0")
}

func (a *authority) serveAt(server *http.Server, address string) (string, error) {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return "", err
	}
	server.ErrorLog = log.New(io.Discard, "", 0) // clients that give up are what the demo is about
	if server.TLSConfig == nil {
		a.panicked.Go(func() { _ = server.Serve(listener) }) // ends with the program
		return "http://" + listener.Addr().String() + "/", nil
	}
	a.panicked.Go(func() { _ = server.ServeTLS(listener, "", "") })
	return "https://" + listener.Addr().String() + "/", nil
}

// oneBadAddressIPs are the addresses of localhost as the demo's resolver answers them. The second one resets.
var oneBadAddressIPs = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"),
	netip.MustParseAddr("127.0.0.3")}

// serveOneBadAddress serves on one port of all three addresses.
func (a *authority) serveOneBadAddress() (string, error) {
	port := "0"
	for i, ip := range oneBadAddressIPs {
		handler := healthy
		if i == 1 {
			handler = resetInstead
		}
		url, err := a.serveAt(&http.Server{Handler: handler}, net.JoinHostPort(ip.String(), port))
		if err != nil {
			return "", err
		}
		_, port, _ = net.SplitHostPort(strings.Trim(strings.TrimPrefix(url, "http://"), "/"))
	}
	return "http://localhost:" + port + "/", nil
}

// answerTTL is the TTL of the demo's DNS answers, in seconds.
const answerTTL = 60

// serveDNS answers every question for A over UDP with the addresses, and other questions with none. It returns its
// host:port.
func serveDNS(panicked guard.Report, addrs ...netip.Addr) (string, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	panicked.Go(func() {
		buffer := make([]byte, 512) // RFC 1035 section 2.3.4: no longer without EDNS
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return // never before the program ends
			}
			if answer := answerTo(buffer[:n], addrs); answer != nil {
				_, _ = conn.WriteTo(answer, from) // a lost answer is asked for again
			}
		}
	})
	return conn.LocalAddr().String(), nil
}

func answerTo(query []byte, addrs []netip.Addr) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	q := m.Questions[0]
	for _, addr := range addrs {
		if q.Type == dnsmessage.TypeA {
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: answerTTL}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header,
				Body: &dnsmessage.AResource{A: addr.As4()}})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

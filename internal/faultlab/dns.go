package faultlab

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolvers on UDP and TCP at the same port of 127.0.0.1. Each returns its host:port.

// DNS is a healthy resolver that answers A and AAAA from a map of names, in lower case and without the final dot, to
// addresses. A name without an address of the family asked for gets NOERROR and no answers, one that is not in the map
// NXDOMAIN.
func DNS(h Host, names map[string][]netip.Addr) string {
	h.Helper()
	return serveDNS(h, answerFrom(names))
}

// DNSOverTLS is DNS over TLS (RFC 7858), with a certificate of the lab.
func DNSOverTLS(h Host, names map[string][]netip.Addr) string {
	h.Helper()
	answer := answerFrom(names)
	return serveTLS(h, secured(), func(conn *tls.Conn, _ *net.TCPConn) { answerStream(conn, answer) })
}

// DNSOverHTTPS is DNS over HTTPS (RFC 8484), with a certificate of the lab. It returns a URL.
func DNSOverHTTPS(h Host, names map[string][]netip.Addr) string {
	h.Helper()
	return TLSHandler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerHTTPS(w, r, answerFrom(names))
	}), "h2", "http/1.1") + "dns-query"
}

// answerHTTPS answers a question over HTTPS.
func answerHTTPS(w http.ResponseWriter, r *http.Request, answer dnsAnswer) {
	bytes, err := io.ReadAll(r.Body)
	q := parseQuestion(bytes)
	if err != nil || q == nil || r.Header.Get("Content-Type") != "application/dns-message" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/dns-message")
	_, _ = w.Write(pack(answer(q))) // the client's end is the client's business
}

// answerFrom answers from a map of names.
func answerFrom(names map[string][]netip.Addr) dnsAnswer {
	return func(q *dnsmessage.Message) *dnsmessage.Message {
		name := strings.TrimSuffix(strings.ToLower(q.Questions[0].Name.String()), ".")
		addresses, found := names[name]
		if !found {
			return dnsReply(q, dnsmessage.RCodeNameError)
		}
		return dnsReply(q, dnsmessage.RCodeSuccess, addresses...)
	}
}

// dnsAnswer answers a message that asks one question; nil is silence.
type dnsAnswer func(q *dnsmessage.Message) *dnsmessage.Message

// serveDNS answers alike over UDP, cut to what the client takes, and TCP.
func serveDNS(h Host, answer dnsAnswer) string {
	h.Helper()
	return serveDNSBy(h, packets(answer), streams(answer))
}

// serveDNSBy answers datagrams by packet, nil being silence, and gives TCP connections to stream.
func serveDNSBy(h Host, packet func(question []byte) []byte, stream func(*net.TCPConn)) string {
	h.Helper()
	l, conn := listenDNS(h)
	address := serveOn(h, l, stream)
	var running sync.WaitGroup
	running.Go(func() { answerPackets(conn, packet) })
	h.Cleanup(func() {
		_ = conn.Close() // ends the reading
		running.Wait()
	})
	return address
}

// tries bounds the search for a port that is free in both protocols.
const tries = 100

func listenDNS(h Host) (*net.TCPListener, net.PacketConn) {
	h.Helper()
	var last error
	for range tries {
		l := listen(h, "tcp4", "127.0.0.1:0")
		conn, err := net.ListenPacket("udp4", l.Addr().String())
		if err == nil {
			return l, conn
		}
		last = err
		_ = l.Close() // somebody has the UDP port
	}
	h.Fatalf("faultlab: listen on a port free in TCP and UDP, tried %d: %v", tries, last)
	return nil, nil
}

func answerPackets(conn net.PacketConn, packet func([]byte) []byte) {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := packet(buffer[:n]); answer != nil {
			_, _ = conn.WriteTo(answer, from) // the client may be gone
		}
	}
}

// minPacket is the datagram that every client takes (RFC 1035 section 4.2.1).
const minPacket = 512

// packets answers datagrams; an answer that is too long for the client is replaced by one with TC and no records.
func packets(answer dnsAnswer) func([]byte) []byte {
	return func(question []byte) []byte {
		q := parseQuestion(question)
		if q == nil {
			return nil
		}
		a := answer(q)
		if bytes := pack(a); len(bytes) <= packetSize(q) {
			return bytes
		}
		return pack(truncated(q))
	}
}

// packetSize is the longest datagram that the client accepts (RFC 6891 section 6.2.3).
func packetSize(q *dnsmessage.Message) int {
	for _, r := range q.Additionals {
		if r.Header.Type == dnsmessage.TypeOPT {
			return max(minPacket, int(r.Header.Class))
		}
	}
	return minPacket
}

func truncated(q *dnsmessage.Message) *dnsmessage.Message {
	a := dnsReply(q, dnsmessage.RCodeSuccess)
	a.Truncated = true
	return a
}

// streams answers the questions of a TCP connection, each message behind its length in two bytes (RFC 1035 section
// 4.2.2).
func streams(answer dnsAnswer) func(*net.TCPConn) {
	return func(conn *net.TCPConn) { answerStream(conn, answer) }
}

func answerStream(conn net.Conn, answer dnsAnswer) {
	for {
		question, ok := readDNS(conn)
		if !ok {
			return
		}
		q := parseQuestion(question)
		if q == nil {
			return
		}
		if bytes := pack(answer(q)); bytes != nil {
			// the next read tells
			_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(bytes))), bytes...))
		}
	}
}

func readDNS(conn net.Conn) ([]byte, bool) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, false
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, message)
	return message, err == nil
}

// parseQuestion returns a message that asks exactly one question; nil for any other.
func parseQuestion(bytes []byte) *dnsmessage.Message {
	q := new(dnsmessage.Message)
	if q.Unpack(bytes) != nil || q.Response || len(q.Questions) != 1 {
		return nil
	}
	return q
}

// pack is a message's bytes; nil for none.
func pack(m *dnsmessage.Message) []byte {
	if m == nil {
		return nil
	}
	own := *m // packing writes to the records, which goroutines of other questions may share
	own.Answers, own.Authorities = slices.Clone(m.Answers), slices.Clone(m.Authorities)
	own.Additionals = slices.Clone(m.Additionals)
	bytes, err := own.Pack()
	if err != nil {
		panic(err) // our own answer is wrong
	}
	return bytes
}

// dnsReply answers a question by a resolver that offers recursion, with those of the addresses that are of the family
// asked for.
func dnsReply(q *dnsmessage.Message, code dnsmessage.RCode, addresses ...netip.Addr) *dnsmessage.Message {
	asked := q.Questions[0]
	a := &dnsmessage.Message{Questions: q.Questions, Header: dnsmessage.Header{
		ID: q.ID, Response: true, RecursionDesired: q.RecursionDesired, RecursionAvailable: true, RCode: code,
	}}
	head := dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: dnsmessage.ClassINET, TTL: 60}
	for _, address := range addresses {
		switch {
		case asked.Type == dnsmessage.TypeA && address.Is4():
			a.Answers = append(a.Answers, dnsmessage.Resource{Header: head,
				Body: &dnsmessage.AResource{A: address.As4()}})
		case asked.Type == dnsmessage.TypeAAAA && address.Is6():
			a.Answers = append(a.Answers, dnsmessage.Resource{Header: head,
				Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	return a
}

package faultlab

import (
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// DNSDatagram is a question that arrived over UDP, and the ways to answer it.
type DNSDatagram struct {
	Question []byte
	From     net.Addr
	socket   net.PacketConn
}

// Answer sends a datagram to whoever asked, from the server's address and port. It may be called often, or later.
func (d *DNSDatagram) Answer(answer []byte) {
	_, _ = d.socket.WriteTo(answer, d.From) // the client may be gone
}

// AnswerFrom sends a datagram from another address, such as 127.0.0.1:0 for another port.
func (d *DNSDatagram) AnswerFrom(local string, answer []byte) {
	socket, err := net.ListenPacket("udp4", local)
	if err != nil {
		panic(err) // the test would prove nothing
	}
	_, _ = socket.WriteTo(answer, d.From) // the client may be gone
	_ = socket.Close()
}

// DNSRaw answers what arrives over UDP by packet, which may answer nothing, once or often, and over TCP by stream; nil
// ends the connection. It returns the server's host:port.
func DNSRaw(h Host, packet func(*DNSDatagram), stream func(question []byte) []byte) string {
	h.Helper()
	l, socket := listenDNS(h)
	address := serveOn(h, l, func(conn *net.TCPConn) {
		for {
			question, ok := readDNS(conn)
			if !ok {
				return
			}
			answer := stream(question)
			if answer == nil {
				return
			}
			// the next read tells
			_, _ = conn.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...))
		}
	})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			buffer := make([]byte, 64<<10)
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			packet(&DNSDatagram{Question: buffer[:n], From: from, socket: socket})
		}
	})
	h.Cleanup(func() {
		_ = socket.Close() // ends the reading
		running.Wait()
	})
	return address
}

// DNSReply is a well-behaved answer to a question, changed: NOERROR, with those addresses that are of the family asked
// for.
func DNSReply(question []byte, change func(*dnsmessage.Message), addresses ...netip.Addr) []byte {
	q := parseQuestion(question)
	if q == nil {
		return nil
	}
	a := dnsReply(q, dnsmessage.RCodeSuccess, addresses...)
	change(a)
	return pack(a)
}

package faultlab

import (
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Faults of resolvers. Each returns the resolver's host:port, and answers every name alike.

// labAddress is what the faults answer which answer an address.
var labAddress = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// DNSCode answers every question with a RCODE and no records: such as dnsmessage.RCodeNameError (NXDOMAIN),
// dnsmessage.RCodeServerFailure or dnsmessage.RCodeRefused; dnsmessage.RCodeSuccess for a name that has no address.
func DNSCode(h Host, code dnsmessage.RCode) string {
	h.Helper()
	return serveDNS(h, func(q *dnsmessage.Message) *dnsmessage.Message { return dnsReply(q, code) })
}

// DNSLame answers with a referral: NOERROR, no answer, the root's name server in the authority section, neither
// authoritative nor with recursion available.
func DNSLame(h Host) string {
	h.Helper()
	root, server := dnsmessage.MustNewName("."), dnsmessage.MustNewName("a.root-servers.net.")
	referral := dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: root, Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET, TTL: 60},
		Body:   &dnsmessage.NSResource{NS: server},
	}
	return serveDNS(h, func(q *dnsmessage.Message) *dnsmessage.Message {
		a := dnsReply(q, dnsmessage.RCodeSuccess)
		a.RecursionAvailable, a.Authorities = false, []dnsmessage.Resource{referral}
		return a
	})
}

// DNSSilent takes questions and answers none.
func DNSSilent(h Host) string {
	h.Helper()
	return serveDNS(h, func(*dnsmessage.Message) *dnsmessage.Message { return nil })
}

// DNSWrongID answers with 127.0.0.1 and an ID that is one too high.
func DNSWrongID(h Host) string {
	h.Helper()
	return serveDNS(h, func(q *dnsmessage.Message) *dnsmessage.Message {
		a := dnsReply(q, dnsmessage.RCodeSuccess, labAddress)
		a.ID++
		return a
	})
}

// DNSGarbage answers with five bytes that are no DNS message; over TCP with them behind their length.
func DNSGarbage(h Host) string {
	h.Helper()
	const garbage = "hello"
	return serveDNSBy(h, func([]byte) []byte { return []byte(garbage) }, func(conn *net.TCPConn) {
		if _, ok := readDNS(conn); ok {
			_, _ = conn.Write([]byte("\x00\x05" + garbage))
			waitGone(conn)
		}
	})
}

// DNSClosedPort is a port at which neither UDP nor TCP is served: a datagram is answered with ICMP port unreachable, a
// SYN with RST. Both stay bound to us; the UDP socket is connected to port 1 of 127.0.0.1, so that it takes nobody
// else's datagrams.
func DNSClosedPort(h Host) string {
	h.Helper()
	nobody := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	var last error
	for range tries {
		address := closedPort(h)
		local, err := net.ResolveUDPAddr("udp4", address)
		if err != nil {
			h.Fatalf("faultlab: parse %q: %v", address, err)
		}
		conn, err := net.DialUDP("udp4", local, nobody)
		if err == nil {
			h.Cleanup(func() { _ = conn.Close() })
			return address
		}
		last = err // somebody has the UDP port
	}
	h.Fatalf("faultlab: bind a port free in TCP and UDP, tried %d: %v", tries, last)
	return ""
}

// DNSTruncatedThenEOF answers over UDP with TC and no records; a TCP connection is closed when the question came.
func DNSTruncatedThenEOF(h Host) string {
	h.Helper()
	return serveDNSBy(h, packets(truncated), func(conn *net.TCPConn) {
		if _, ok := readDNS(conn); ok {
			fin(conn)
		}
	})
}

// DNSTruncated answers over UDP with TC and no records, over TCP with 127.0.0.1.
func DNSTruncated(h Host) string {
	h.Helper()
	return serveDNSBy(h, packets(truncated), streams(func(q *dnsmessage.Message) *dnsmessage.Message {
		return dnsReply(q, dnsmessage.RCodeSuccess, labAddress)
	}))
}

// DNSSilentAAAA answers A with 127.0.0.1, and AAAA not at all.
func DNSSilentAAAA(h Host) string {
	h.Helper()
	return serveDNS(h, onlyA(func(*dnsmessage.Message) *dnsmessage.Message { return nil }))
}

// DNSServfailAAAA answers A with 127.0.0.1, and AAAA with SERVFAIL.
func DNSServfailAAAA(h Host) string {
	h.Helper()
	return serveDNS(h, onlyA(func(q *dnsmessage.Message) *dnsmessage.Message {
		return dnsReply(q, dnsmessage.RCodeServerFailure)
	}))
}

// onlyA answers a question for A with 127.0.0.1, and any other by other.
func onlyA(other dnsAnswer) dnsAnswer {
	return func(q *dnsmessage.Message) *dnsmessage.Message {
		if q.Questions[0].Type == dnsmessage.TypeA {
			return dnsReply(q, dnsmessage.RCodeSuccess, labAddress)
		}
		return other(q)
	}
}

package netlab

import (
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Faults of a connection that stood.

// dataLength is longer, with its headers, than any segment without data and shorter than any request.
const dataLength = 100

// withData is a rule of nft on the client's segments that carry data.
func (f Family) withData(verdict string) string {
	return f.toServer(fmt.Sprintf("meta length gt %d %s", dataLength, verdict))
}

// BlackHoleAfterHandshake has r1 drop the client's data, without a word: the handshake is the last that both sides
// hear.
func BlackHoleAfterHandshake(f Family) Fault {
	return forwardFilter(f, R1, f.withData("drop"))
}

// RequestReset has a router answer the request with a RST that bears the server's address. The server is not told.
func RequestReset(f Family, router Node) Fault {
	return forwardFilter(f, router, f.withData("reject with tcp reset"))
}

// HandshakeReset has a router answer the client's last word of the handshake, its ACK, with a RST that bears the
// server's address, as a firewall does that has not seen the SYN-ACK. It may arrive before the client's connect() has
// returned.
func HandshakeReset(f Family, router Node) Fault {
	return forwardFilter(f, router, f.toServer("tcp flags & (syn | rst) == 0 reject with tcp reset"))
}

// OwnRequestReset has c's own firewall answer the request with a RST that bears the server's address.
func OwnRequestReset(f Family) Fault {
	return outputFilter(f, fmt.Sprintf("meta length gt %d reject with tcp reset", dataLength))
}

// OwnRequestRefused has c's own firewall drop the client's data, or answer it with ICMP: with is nft's statement. TCP
// is not told.
func OwnRequestRefused(f Family, with string) Fault {
	return outputFilter(f, fmt.Sprintf("meta length gt %d %s", dataLength, with))
}

// RequestRejected has a router answer the client's data with ICMP of a type of nft, on a connection that stood.
func RequestRejected(f Family, router Node, with string) Fault {
	return forwardFilter(f, router, f.withData(f.reject(with)))
}

// HostDiesBeforeResponse is a server that acknowledges the request and is not heard of again.
func HostDiesBeforeResponse(f Family) Fault {
	return marked(f, func(conn *net.TCPConn) {
		if readRequest(conn) && die(conn) {
			stayAway(conn)
		}
	})
}

// HostDiesMidBody is a server that sends half of its response and is not heard of again.
func HostDiesMidBody(f Family) Fault {
	return marked(f, func(conn *net.TCPConn) {
		half := response(large())[:1000]
		if !readRequest(conn) {
			return
		}
		if _, err := io.WriteString(conn, half); err == nil && die(conn) {
			stayAway(conn)
		}
	})
}

// deadMark is the firewall mark of the packets of a host that has died.
const deadMark = 1

// marked is a server whose own packets bear the mark of its connection; those of a dead one do not leave s.
func marked(f Family, talk func(*net.TCPConn)) Fault {
	return func(n *Net) string {
		n.Filter(S, "output", fmt.Sprintf("meta mark %d drop", deadMark))
		return n.serve(f, talk)
	}
}

// die silences everything that the kernel sends for the connection from now on, acknowledgements too.
func die(conn *net.TCPConn) bool {
	return setInt(conn, unix.SOL_SOCKET, unix.SO_MARK, deadMark) == nil
}

// HostForgets is a server that acknowledges the request and then loses all memory of the connection, without a word, as
// when its host restarts: it answers the next segment, a keepalive, with a RST.
func HostForgets(f Family) Fault {
	return func(n *Net) string {
		return n.serve(f, func(conn *net.TCPConn) {
			if readRequest(conn) {
				// A socket in repair mode vanishes when it is closed (tcp(7), CRIU); serve closes it.
				_ = setInt(conn, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) // a plain close would be seen as FIN
			}
		})
	}
}

// Aborts is a server that reads the request and resets the connection.
func Aborts(f Family) Fault {
	return func(n *Net) string {
		return n.serve(f, func(conn *net.TCPConn) {
			if readRequest(conn) {
				_ = conn.SetLinger(0) // then the close is a RST
			}
		})
	}
}

// OtherTTL is HostForgets by a server whose sockets have a TTL (hop limit) of their own, which its kernel's RST has
// not.
func OtherTTL(f Family) Fault {
	return func(n *Net) string {
		url := HostForgets(f)(n)
		n.Filter(S, "output", "tcp flags & (syn | ack) == syn | ack "+f.setTTL(100))
		return url
	}
}

// setTTL is nft's statement that changes the TTL.
func (f Family) setTTL(ttl int) string {
	if f == V4 {
		return fmt.Sprintf("ip ttl set %d", ttl)
	}
	return fmt.Sprintf("ip6 hoplimit set %d", ttl)
}

// middleMTU is the length of packet that the link between the routers carries where it is the narrow one.
const middleMTU = 1400

// NarrowMiddle has a link between the routers that carries shorter packets than the others. The routers say so with
// ICMP fragmentation needed, or packet too big, and TCP sends shorter segments.
func NarrowMiddle(f Family) Fault {
	return func(n *Net) string {
		n.narrow()
		return n.serve(f, largeAnswer)
	}
}

// BlackHoleForLarge is NarrowMiddle with both routers' ICMP filtered: long segments vanish, short ones arrive, either
// way. Of an upload the tail arrives, of a response too; the rest never does.
func BlackHoleForLarge(f Family) Fault { return blackHoleForLarge(f, largeAnswer) }

// BlackHoleForLargeBody is BlackHoleForLarge for a response whose head is a segment of its own, which arrives.
func BlackHoleForLargeBody(f Family) Fault {
	return blackHoleForLarge(f, func(conn *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		whole := response(large())
		for _, part := range []string{whole[:len(whole)-len(large())], large()} {
			if _, err := io.WriteString(conn, part); err != nil {
				return
			}
		}
		stayAway(conn)
	})
}

// BlackHoleForLargeFlight is a server that answers the first bytes it gets, a ClientHello, with as many as a chain of
// certificates has. On the way back, and only there, long segments vanish: r2's route to the client is a narrow one.
func BlackHoleForLargeFlight(f Family) Fault {
	return func(n *Net) string {
		n.IP(R2, f.flag(), "route", "replace", f.network(C), "via", f.farSide(), "mtu", "lock", fmt.Sprint(middleMTU))
		n.silenceICMP()
		return n.serve(f, func(conn *net.TCPConn) {
			if _, err := conn.Read(make([]byte, 1<<14)); err != nil {
				return
			}
			if _, err := io.WriteString(conn, large()); err == nil { // what it says is never heard
				stayAway(conn)
			}
		})
	}
}

func blackHoleForLarge(f Family, talk func(*net.TCPConn)) Fault {
	return func(n *Net) string {
		n.narrow()
		n.silenceICMP()
		return n.serve(f, talk)
	}
}

// silenceICMP filters what the routers say of packets that are too long.
func (n *Net) silenceICMP() {
	n.host.Helper()
	for _, router := range []Node{R1, R2} {
		n.Filter(router, "output", "icmp type destination-unreachable drop", "icmpv6 type packet-too-big drop")
	}
}

func (n *Net) narrow() {
	n.host.Helper()
	n.IP(R1, "link", "set", "right", "mtu", fmt.Sprint(middleMTU))
	n.IP(R2, "link", "set", "left", "mtu", fmt.Sprint(middleMTU))
}

// largeAnswer answers a request with a body of several full segments.
func largeAnswer(conn *net.TCPConn) {
	if readRequest(conn) {
		if _, err := io.WriteString(conn, response(large())); err == nil {
			stayAway(conn) // a FIN would be the tail that arrives
		}
	}
}

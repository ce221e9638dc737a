package netlab

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Interception: something between c and the server accepts c's connections in the server's place.

// interceptor is the port on which what intercepts listens.
const interceptor = 15001

// The ways to intercept: nft's verdicts, and for the last one a route that keeps foreign packets.
const (
	redirect = "redirect to :15001"
	tproxy   = "tproxy to :15001 meta mark set 1 accept"
)

// Closes is a server that reads the request and closes the connection.
func Closes(f Family) Fault {
	return func(n *Net) string { return n.serve(f, closing) }
}

func closing(conn *net.TCPConn) { readRequest(conn) } // serve closes it

// Redirected has r1 redirect c's packets that a match of nft picks to a proxy of its own, which closes every
// connection after the first bytes. The server does the same.
func Redirected(f Family, match string) Fault {
	return func(n *Net) string {
		n.intercept(R1, "prerouting", match+" "+redirect)
		return Closes(f)(n)
	}
}

// SidecarRedirected is Redirected by a rule of c itself, to a proxy on c.
func SidecarRedirected(f Family) Fault {
	return func(n *Net) string {
		n.intercept(C, "output", "tcp dport 1-10000 "+redirect)
		return Closes(f)(n)
	}
}

// TransparentlyProxied is Redirected by TPROXY, which leaves the addresses of the packets as they are.
func TransparentlyProxied(f Family) Fault {
	return func(n *Net) string {
		n.close(n.transparent())
		n.NFT(R1, fmt.Sprintf("table %s lab {\nchain prerouting {\ntype filter hook prerouting priority mangle\n"+
			"tcp dport 1-10000 %s\n}\n}\n", f.nft(), tproxy))
		n.IP(R1, f.flag(), "rule", "add", "fwmark", "1", "lookup", "100")
		n.IP(R1, f.flag(), "route", "add", "local", "default", "dev", "lo", "table", "100")
		return Closes(f)(n)
	}
}

// NeverRoutedFiltered has r1's firewall treat the addresses that are never routed by a verdict of nft. The server
// closes.
func NeverRoutedFiltered(f Family, verdict string) Fault {
	return func(n *Net) string {
		match := "ip daddr 192.0.2.1 tcp dport 1-65535 "
		if f == V6 {
			match = "ip6 daddr 2001:db8::1 tcp dport 1-65535 "
		}
		n.IP(R1, f.flag(), "route", "add", "default", "via", f.Addr(R2).String())
		n.Filter(R1, "forward", match+verdict)
		return Closes(f)(n)
	}
}

// Rejection is nft's verdict that answers with ICMP of a type.
func (f Family) Rejection(with string) string { return f.reject(with) }

// Public is a public address of s, which the routers know.
func (f Family) Public() netip.Addr {
	if f == V4 {
		return netip.MustParseAddr("203.0.113.9")
	}
	return netip.MustParseAddr("2001:db8:ffff::9")
}

// PublicCloses is Closes at the server's public address.
func PublicCloses(f Family) Fault {
	return func(n *Net) string {
		public := f.Public()
		add := []string{"addr", "add", netip.PrefixFrom(public, public.BitLen()).String(), "dev", "lo"}
		if f == V6 {
			add = append(add, "nodad") // else it cannot be bound to until the kernel's worker has run
		}
		n.IP(S, add...)
		n.IP(R1, f.flag(), "route", "add", public.String(), "via", f.Addr(R2).String())
		n.IP(R2, f.flag(), "route", "add", public.String(), "via", f.Addr(S).String())
		return n.serveAt(public, closing)
	}
}

// PublicRedirected is PublicCloses behind an r1 that redirects what goes to this address, and nothing else.
func PublicRedirected(f Family) Fault {
	return func(n *Net) string {
		n.intercept(R1, "prerouting", fmt.Sprintf("%s daddr %s tcp dport %d %s", f.nft(), f.Public(), port, redirect))
		return PublicCloses(f)(n)
	}
}

// intercept adds a rule of NAT on a node, and a proxy there that closes what it accepts.
func (n *Net) intercept(at Node, hook, rule string) {
	n.host.Helper()
	n.close(n.Listen(at, "tcp", ":"+strconv.Itoa(interceptor)))
	n.NFT(at, fmt.Sprintf("table inet nat {\nchain %s {\ntype nat hook %s priority -100\n%s\n}\n}\n", hook, hook, rule))
}

// transparent listens on r1 for connections to any address (IP_TRANSPARENT, ip(7)).
func (n *Net) transparent() net.Listener {
	n.host.Helper()
	l := n.Listen(R1, "tcp", ":"+strconv.Itoa(interceptor))
	for _, option := range [][2]int{{unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT}, {unix.IPPROTO_IP, unix.IP_TRANSPARENT}} {
		if err := setInt(l.(*net.TCPListener), option[0], option[1], 1); err != nil {
			n.host.Fatalf("listen for any address: %v", err)
		}
	}
	return l
}

// close closes each connection of a listener after the first bytes.
func (n *Net) close(l net.Listener) {
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed by the cleanup
			}
			_, _ = conn.Read(make([]byte, 1<<14))
			_ = conn.Close()
		}
	}()
}

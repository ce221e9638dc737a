package application

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/netlab"
)

// crowd is how many connections there are at once, for each family.
const crowd = 1000

// dead is the mark of the packets of a connection whose server is gone: they do not leave S.
const dead = 7

// A scenario is a server, or a middlebox before it, that ends connections, and what an application does with it: P is a
// POST, w a pause in milliseconds, L a POST whose response is leaked, U one that is closed unread, C calls at once.
type scenario struct {
	name  string
	port  uint16
	plan  string
	serve func(*site, *http.Server)
	only  string // this application
}

var scenarios = []scenario{
	{"idle connections are closed after 1 s", 8001, "P,w2500,P,w1500", idleClosed, ""},
	{"a NAT forgets, and drops", 8002, "P,w3500,P", nil, ""},
	{"a NAT forgets, and resets", 8003, "P,w3500,P", nil, ""},
	{"a load balancer resets after 1.5 s", 8004, "P,w2500,P,w2000", resetAtAge, ""},
	{"a restart", 8005, "P,w3000,P", restarted, ""},
	{"the server is gone", 8006, "P,w1500,P", gone, ""},
	{"the application leaks", 8007, "L10,w2500", idleClosed, ""},
	{"closed with unread data", 8008, "U3", large, ""},
	{"1,000 at once", 8009, fmt.Sprintf("C%d,w500", crowd), atOnce, "go"},
}

// families are the addresses of the servers.
var families = []netip.Addr{netlab.V4.Addr(netlab.S), netlab.V6.Addr(netlab.S)}

// A site is the network and what its servers know.
type site struct {
	*testing.T
	net *netlab.Net
}

var answered = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "0123456789")
})

// serveAll starts the servers, and the NAT.
func serveAll(t *testing.T, n *netlab.Net) {
	s := &site{t, n}
	for key, value := range map[string]string{"net.ipv4.tcp_retries2": "2", "net.ipv4.tcp_orphan_retries": "1"} {
		n.Sysctl(netlab.C, key, value) // the kernel gives up within about three seconds
	}
	n.NFT(netlab.R1, `table inet application {
chain postrouting {
type nat hook postrouting priority 100
tcp dport { 8002, 8003 } masquerade
}
chain forward {
type filter hook forward priority 0
tcp dport 8002 ct state != { new, established } drop
tcp dport 8002 ct state new tcp flags & (syn | ack) != syn drop
tcp dport 8003 ct state != { new, established } reject with tcp reset
tcp dport 8003 ct state new tcp flags & (syn | ack) != syn reject with tcp reset
}
}
`)
	n.Sysctl(netlab.R1, "net.netfilter.nf_conntrack_tcp_timeout_established", "2") // seconds
	n.NFT(netlab.S, fmt.Sprintf("table inet application {\nchain output {\ntype filter hook output priority 0\n"+
		"meta mark %d drop\n}\n}\n", dead))
	for i := range scenarios {
		server := &http.Server{Handler: answered, ReadHeaderTimeout: time.Minute}
		if scenarios[i].serve != nil {
			scenarios[i].serve(s, server)
		}
		for _, address := range families {
			l := n.Listen(netlab.S, "tcp", netip.AddrPortFrom(address, scenarios[i].port).String())
			go func() { _ = server.Serve(l) }() // until it is closed
		}
		t.Cleanup(func() { _ = server.Close() })
	}
}

func idleClosed(_ *site, server *http.Server) { server.IdleTimeout = time.Second }

// resetAtAge resets each connection at the same time after its first answer: at a steady age, but never before, however
// slow an application begins.
func resetAtAge(_ *site, server *http.Server) {
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			time.AfterFunc(1500*time.Millisecond, func() {
				_ = conn.(*net.TCPConn).SetLinger(0) // it may be closed
				_ = conn.Close()
			})
		}
	}
}

// restarted closes what connections there are, once, when each application has one.
func restarted(_ *site, server *http.Server) {
	var mu sync.Mutex // guards open and requests
	open, requests := map[net.Conn]bool{}, 0
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateIdle:
			open[conn] = true
			if requests++; requests == len(families)*len(applications) {
				for conn := range open {
					_ = conn.Close()
				}
			}
		case http.StateActive, http.StateClosed:
			delete(open, conn)
		}
	}
}

// gone is a server that nothing is heard of 400 ms after its first answer, not even acknowledgements.
func gone(s *site, server *http.Server) {
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			time.AfterFunc(400*time.Millisecond, func() { s.kill(conn.(*net.TCPConn)) })
		}
	}
}

func (s *site) kill(conn syscall.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		s.Error(err)
		return
	}
	if err := raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, dead); err != nil {
			s.Error(err)
		}
	}); err != nil {
		s.Error(err)
	}
}

// large answers with more than sockets hold.
func large(_ *site, server *http.Server) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body) // fails when the application has closed
	})
}

// atOnce answers when all calls of an address are there.
func atOnce(_ *site, server *http.Server) {
	var mu sync.Mutex // guards waiting
	waiting, all := map[string]int{}, map[string]chan struct{}{}
	for _, address := range families {
		all[address.String()] = make(chan struct{})
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host) // the listener's address
		mu.Lock()
		if waiting[host]++; waiting[host] == crowd {
			close(all[host])
		}
		mu.Unlock()
		select {
		case <-all[host]:
			answered(w, r)
		case <-r.Context().Done():
		}
	})
}

package netlab

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcome is what a plain client in c meets: the step at which it ends, and the errno's name, "timeout", "EOF" or "".
type outcome struct{ Step, Error string }

var (
	answered = outcome{"done", ""}
	silence  = outcome{"connect", "timeout"}
	noAnswer = outcome{"read", "timeout"}
)

func connectFails(errno string) outcome { return outcome{"connect", errno} }

// outcomes are the faults that both families have alike.
func outcomes(f Family) []expectation {
	return []expectation{
		{"healthy", Healthy(f), answered},
		{"nothing listens", ClosedPort(f), connectFails("ECONNREFUSED")},
		{"r1 resets the SYN", SYNReset(f, R1), connectFails("ECONNREFUSED")},
		{"SYN dropped", SYNDropped(f), silence},
		{"SYN-ACK dropped", SYNACKDropped(f), silence},
		{"server's firewall drops", InputDropped(f), silence},
		{"blackhole route of r1", RouterRoute(f, "blackhole"), silence},
		{"accept queue full", AcceptQueueFull(f), silence},
		{"first SYN lost", FirstSYNLost(f), answered},
		{"routing loop", RoutingLoop(f), connectFails("EHOSTUNREACH")},
		{"host down on the server's LAN", HostDownOnServerLAN(f), connectFails("EHOSTUNREACH")},
		{"host down on our LAN", HostDownOnOurLAN(f), connectFails("EHOSTUNREACH")},
		{"no route", NoRoute(f), connectFails("ENETUNREACH")},
		{"interface down", InterfaceDown(f), connectFails("ENETUNREACH")},
		{"unreachable route", LocalRoute(f, "unreachable"), connectFails("EHOSTUNREACH")},
		{"prohibit route", LocalRoute(f, "prohibit"), connectFails("EACCES")},
		{"blackhole route", LocalRoute(f, "blackhole"), connectFails("EINVAL")},
		{"own firewall drops", OutputDropped(f), silence},
		{"own firewall rejects", OutputRejected(f, "port-unreachable"), connectFails("ECONNREFUSED")},
		{"own firewall resets", OutputReset(f), connectFails("ECONNREFUSED")},
		{"ports exhausted", PortsExhausted(f), connectFails("EADDRNOTAVAIL")},
		{"black hole after the handshake", BlackHoleAfterHandshake(f), noAnswer},
		{"r1 resets the request", RequestReset(f, R1), outcome{"read", "ECONNRESET"}},
		{"r2 resets the request", RequestReset(f, R2), outcome{"read", "ECONNRESET"}},
		{"ICMP for the request", RequestRejected(f, R1, "port-unreachable"), noAnswer},
		{"host dies before the response", HostDiesBeforeResponse(f), noAnswer},
		{"host dies mid-body", HostDiesMidBody(f), noAnswer},
		{"host forgets", HostForgets(f), outcome{"read", "ECONNRESET"}},
		{"narrow link", NarrowMiddle(f), answered},
		{"black hole for large packets", BlackHoleForLarge(f), noAnswer},
		{"black hole for a large body", BlackHoleForLargeBody(f), noAnswer},
		{"black hole for a large flight", BlackHoleForLargeFlight(f), noAnswer},
	}
}

type expectation struct {
	name  string
	fault Fault
	want  outcome
}

// rejections are ICMP's types with the errno that Linux makes of them.
var rejections = []struct {
	family Family
	with   string
	errno  string
}{
	{V4, "net-unreachable", "ENETUNREACH"},
	{V4, "host-unreachable", "EHOSTUNREACH"},
	{V4, "prot-unreachable", "ENOPROTOOPT"},
	{V4, "port-unreachable", "ECONNREFUSED"},
	{V4, "net-prohibited", "ENETUNREACH"},
	{V4, "host-prohibited", "EHOSTUNREACH"},
	{V4, "admin-prohibited", "EHOSTUNREACH"},
	{V6, "no-route", "ENETUNREACH"},
	{V6, "admin-prohibited", "EACCES"},
	{V6, "addr-unreachable", "EHOSTUNREACH"},
	{V6, "port-unreachable", "ECONNREFUSED"},
	{V6, "policy-fail", "EACCES"},
	{V6, "reject-route", "EACCES"},
}

// expectations are all rows.
func expectations() []expectation {
	rows := []expectation{
		{"IPv4 unreachable route of r1", RouterRoute(V4, "unreachable"), connectFails("EHOSTUNREACH")},
		{"IPv4 prohibit route of r1", RouterRoute(V4, "prohibit"), connectFails("EHOSTUNREACH")},
		{"IPv4 no route on r1", RouterNoRoute(V4), connectFails("ENETUNREACH")},
		{"IPv4 loop through us", LoopThroughUs(), silence},
		{"IPv6 unreachable route of r1", RouterRoute(V6, "unreachable"), connectFails("ENETUNREACH")},
		{"IPv6 prohibit route of r1", RouterRoute(V6, "prohibit"), connectFails("EACCES")},
		{"IPv6 no route on r1", RouterNoRoute(V6), connectFails("ENETUNREACH")},
	}
	for _, f := range []Family{V4, V6} {
		for _, row := range outcomes(f) {
			rows = append(rows, expectation{f.String() + " " + row.name, row.fault, row.want})
		}
	}
	for _, row := range rejections {
		for _, router := range []Node{R1, R2} {
			name := row.family.String() + " " + row.with + " from " + router.String()
			rows = append(rows, expectation{name, Rejected(row.family, router, row.with), connectFails(row.errno)})
		}
	}
	return rows
}

// TestFaults has all visits under way at once: most of them wait.
func TestFaults(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	var checks []func(*testing.T)
	rows := expectations()
	for _, row := range rows {
		n := New(t)
		target := row.fault(n)
		met := make(chan outcome, 1)
		go func() { met <- visit(n, target) }()
		checks = append(checks, func(t *testing.T) {
			if diff := cmp.Diff(row.want, <-met); diff != "" {
				t.Errorf("a plain client meets (-want +got):\n%s", diff)
			}
		})
	}
	for i, row := range rows {
		t.Run(row.name, checks[i])
	}
}

// visit is a plain client in c, with keepalives as the probe has: it connects, sends a request and reads what comes.
func visit(n *Net, target string) outcome {
	parsed, err := url.Parse(target)
	if err != nil {
		return outcome{"parse", err.Error()}
	}
	addr := net.JoinHostPort(parsed.Hostname(), "80")
	if parsed.Port() != "" {
		addr = parsed.Host
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience(target))
	defer cancel()
	conn, err := n.Dial(ctx, C, "tcp", addr)
	if err != nil {
		return outcome{"connect", brief(err)}
	}
	defer conn.Close()
	peer := conn.(*net.TCPConn)
	if err := peer.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second,
		Count: 9}); err != nil {
		return outcome{"keepalive", err.Error()}
	}
	deadline := time.Now().Add(1500 * time.Millisecond)
	if err := peer.SetDeadline(deadline); err != nil {
		return outcome{"deadline", err.Error()}
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: api.test\r\nUser-Agent: a plain "+
		"client\r\n\r\n"); err != nil {
		return outcome{"write", brief(err)}
	}
	return read(conn)
}

// patience is enough for the neighbour's silence (three seconds) where an address is one that no host has.
func patience(target string) time.Duration {
	if strings.Contains(target, "99") || strings.Contains(target, ":63") {
		return 5 * time.Second
	}
	return 1300 * time.Millisecond
}

// read reads until the body is whole: the large one is longer than what a small segment or half of it brings.
func read(conn net.Conn) outcome {
	buffer := make([]byte, 1<<16)
	total := 0
	for {
		size, err := conn.Read(buffer[total:])
		total += size
		text := string(buffer[:total])
		if strings.HasSuffix(text, response("ok\n")) || strings.HasSuffix(text, response(large())) {
			return answered
		}
		if err != nil {
			return outcome{"read", brief(err)}
		}
	}
}

func brief(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return unix.ErrnoName(errno)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	return err.Error()
}

// TestRemoved: nothing of a Net is left when its test has ended.
func TestRemoved(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	var names []string
	t.Run("a test", func(t *testing.T) {
		n := New(t)
		names = n.names[:]
		Healthy(V4)(n)
	})
	list, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		t.Fatalf("list namespaces: %v", err)
	}
	for _, name := range names {
		if strings.Contains(string(list), name) {
			t.Errorf("namespace %q is left", name)
		}
	}
}

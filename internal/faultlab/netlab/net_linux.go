package netlab

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"errno_exporter/internal/faultlab"
)

// Node is one of the four namespaces.
type Node int

// The nodes, from the client to the server.
const (
	C  Node = iota // where the probe runs
	R1             // the client's router
	R2             // the server's router
	S              // where the server runs
)

// String is the node's name as in the package's picture.
func (n Node) String() string { return [...]string{"c", "r1", "r2", "s"}[n] }

// Family is an Internet protocol version: V4 or V6.
type Family int

// The families.
const (
	V4 Family = 4
	V6 Family = 6
)

// Addr is the node's address on its link towards the client, which is also the source of the ICMP it sends to the
// client.
func (f Family) Addr(at Node) netip.Addr {
	if f == V4 {
		return netip.MustParseAddr([...]string{"10.9.1.2", "10.9.1.1", "10.9.2.2", "10.9.3.2"}[at])
	}
	return netip.MustParseAddr([...]string{"fd09:1::2", "fd09:1::1", "fd09:2::2", "fd09:3::2"}[at])
}

// String is the name people use: "IPv4" or "IPv6".
func (f Family) String() string { return "IPv" + strconv.Itoa(int(f)) }

// flag is ip's option for the family: "-4" or "-6".
func (f Family) flag() string { return "-" + strconv.Itoa(int(f)) }

// Net is one network of four namespaces. Its methods fail the test when a command does.
type Net struct {
	host  faultlab.Host
	names [4]string // of the namespaces, by Node
}

// prefix begins the names of all our namespaces; the process and a number follow.
const prefix = "errno-lab-"

// serial numbers the Nets of this process.
var serial atomic.Int64

// Available says why no Net can be made here: not root, or ip or nft is not installed. It is nil where one can.
func Available() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root: run the tests with sudo")
	}
	for _, command := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(command); err != nil {
			return fmt.Errorf("network namespaces need the command %q: install iproute2 and nftables", command)
		}
	}
	return nil
}

// New makes a Net and has it removed when the test ends, whether it passes or not.
func New(h faultlab.Host) *Net {
	h.Helper()
	sweep()
	n := &Net{host: h}
	id := fmt.Sprintf("%s%d-%d-", prefix, os.Getpid(), serial.Add(1))
	for node := C; node <= S; node++ {
		n.names[node] = id + node.String()
	}
	h.Cleanup(func() {
		for _, name := range n.names {
			_ = exec.Command("ip", "netns", "delete", name).Run() // one that was never made has nothing to delete
		}
	})
	n.build()
	return n
}

// sweep removes the namespaces of test binaries that were killed before their cleanup.
func sweep() {
	left, _ := filepath.Glob("/run/netns/" + prefix + "*") // the pattern is well-formed
	for _, path := range left {
		name := filepath.Base(path)
		pid, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = exec.Command("ip", "netns", "delete", name).Run() // another test binary may have been quicker
		}
	}
}

// IP runs ip(8) on a node: IP(C, "route", "del", "default").
func (n *Net) IP(at Node, args ...string) {
	n.host.Helper()
	n.run("", "ip", append([]string{"-n", n.names[at]}, args...)...)
}

// NFT runs a script of nft(8) on a node.
func (n *Net) NFT(at Node, script string) {
	n.host.Helper()
	n.run(script, "ip", "netns", "exec", n.names[at], "nft", "-f", "-")
}

// Filter adds rules of nft to a node's hook (input, forward or output), for both families.
func (n *Net) Filter(at Node, hook string, rules ...string) {
	n.host.Helper()
	n.NFT(at, fmt.Sprintf("table inet lab {\nchain %s {\ntype filter hook %s priority 0\n%s}\n}\n", hook, hook,
		lines(rules...)))
}

// Command is a program that is to run on a node.
func (n *Net) Command(at Node, program string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.names[at], program}, args...)...)
}

// run runs a command with an input and returns what it wrote. It fails the test with that when the command fails.
func (n *Net) run(input, name string, args ...string) string {
	n.host.Helper()
	command := exec.Command(name, args...)
	command.Stdin = strings.NewReader(input)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		n.host.Fatalf("run %s with input %q: %v: %s", command, input, err, output.String())
	}
	return output.String()
}

func lines(commands ...string) string { return strings.Join(commands, "\n") + "\n" }

// httpURL is the http URL of a port at an address.
func httpURL(addr netip.Addr, port int) string {
	return "http://" + net.JoinHostPort(addr.String(), strconv.Itoa(port)) + "/"
}

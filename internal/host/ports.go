package host

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"errno_exporter/internal/observe"
)

// The local ports in use are counted from the kernel's list of sockets, which may be long: with a million of them it
// takes half a second. So they are not counted for each record.
//
//   - A count is used again for portsShare times what it took, so that counting takes a hundredth of a CPU at most, and
//     never for longer than portsLongest.
//   - After a failure for want of a port they are counted at once.

const (
	portsShare   = 100
	portsLongest = time.Minute
)

// when says when ports are counted.
type when bool

const (
	whenDue when = false
	always  when = true
)

// ports counts the local ports in use. The zero value is ready.
type ports struct {
	count func() (all, used int) // countPorts; another function in tests
	took  time.Duration          // the last count
}

// add adds them to a record, from the last one where they need not be counted; nil for none.
func (p *ports) add(r, last *Record, counted when) {
	if last != nil && counted == whenDue && r.At.Sub(last.PortsAt) < min(portsShare*p.took, portsLongest) {
		r.Ports, r.PortsUsed, r.PortsAt = last.Ports, last.PortsUsed, last.PortsAt
		return
	}
	count := p.count
	if count == nil {
		count = countPorts
	}
	r.PortsAt = time.Now()
	r.Ports, r.PortsUsed = count()
	p.took = time.Since(r.PortsAt)
}

// countPorts is how many ephemeral ports there are, and how many are used towards the destination that has most.
func countPorts() (all, used int) {
	from, to, ok := strings.Cut(read("/proc/sys/net/ipv4/ip_local_port_range"), "\t")
	if !ok {
		return 0, 0
	}
	low, high := number(from), number(to)
	used, err := observe.MostPorts(uint16(low), uint16(high))
	if err != nil { // a sandbox refuses sockets of netlink, or the kernel was built without inet_diag
		used = portsUsed(low, high, "/proc/net/tcp", "/proc/net/tcp6")
	}
	return high - low + 1, used
}

// maxSockets bounds the lines that are read of a table of sockets.
const maxSockets = 100_000

// portsUsed counts the sockets with a local port in a range by their remote end, and returns the most. The tables'
// columns are those of proc_net_tcp.rst.
func portsUsed(low, high int, tables ...string) int {
	used := map[string]int{}
	most := 0
	for _, table := range tables {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(file)
		for n := 0; n < maxSockets && lines.Scan(); n++ {
			columns := bytes.Fields(lines.Bytes())
			if len(columns) < 4 {
				continue
			}
			_, hexadecimal, _ := bytes.Cut(columns[1], []byte(":"))
			port, err := strconv.ParseUint(string(hexadecimal), 16, 16)
			if err != nil || int(port) < low || int(port) > high || bytes.HasSuffix(columns[2], []byte(":0000")) {
				continue
			}
			remote := string(columns[2])
			used[remote]++
			most = max(most, used[remote])
		}
		_ = file.Close() // it was only read
	}
	return most
}

package observe

import (
	"strconv"
	"strings"
)

// counts are counters of the network namespace, in /proc/net/snmp and /proc/net/netstat.
type counts struct {
	estabResets      uint64 // Tcp: connections that went from ESTABLISHED or CLOSE_WAIT to CLOSE at once
	resetsSent       uint64 // Tcp OutRsts
	abortOnClose     uint64 // TcpExt TCPAbortOnClose: closed with unread data
	abortOnData      uint64 // TcpExt TCPAbortOnData: closed with SO_LINGER 0, or data came after the close
	abortOnTimeout   uint64 // TcpExt TCPAbortOnTimeout
	timeWaitOverflow uint64 // TcpExt TCPTimeWaitOverflow: no TIME_WAIT was made
}

// parse adds the counters of one of the two files, whose lines come in pairs: names, and values.
func (c *counts) parse(text string) {
	for text != "" {
		var names, values string
		names, text, _ = strings.Cut(text, "\n")
		values, text, _ = strings.Cut(text, "\n")
		prefix, names, _ := strings.Cut(names, " ")
		_, values, _ = strings.Cut(values, " ")
		if prefix != "Tcp:" && prefix != "TcpExt:" {
			continue
		}
		for names != "" && values != "" {
			var name, value string
			name, names, _ = strings.Cut(names, " ")
			value, values, _ = strings.Cut(values, " ")
			if to := c.named(name); to != nil {
				*to, _ = strconv.ParseUint(value, 10, 64) // MaxConn is -1, and is none of these
			}
		}
	}
}

func (c *counts) named(name string) *uint64 {
	switch name {
	case "EstabResets":
		return &c.estabResets
	case "OutRsts":
		return &c.resetsSent
	case "TCPAbortOnClose":
		return &c.abortOnClose
	case "TCPAbortOnData":
		return &c.abortOnData
	case "TCPAbortOnTimeout":
		return &c.abortOnTimeout
	case "TCPTimeWaitOverflow":
		return &c.timeWaitOverflow
	}
	return nil
}

// since is how much they have risen.
func (c counts) since(before counts) counts {
	return counts{c.estabResets - before.estabResets, c.resetsSent - before.resetsSent,
		c.abortOnClose - before.abortOnClose, c.abortOnData - before.abortOnData,
		c.abortOnTimeout - before.abortOnTimeout, c.timeWaitOverflow - before.timeWaitOverflow}
}

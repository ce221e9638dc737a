package observe

import (
	"fmt"
	"strings"
)

// congestion is a state of the kernel's congestion control: enum tcp_ca_state of linux/tcp.h.
type congestion uint8

// congestionStates are the kernel's names, in lower case. In the first one, nothing was lost or out of order recently.
var congestionStates = [...]string{"", "disorder", "cwr", "recovery", "loss"}

// CongestionStates are the states of a connection with a sign of congestion, the mildest first: acknowledgements out of
// order or of duplicates, a congestion window that was reduced without a loss (ECN, a full queue of this host), fast
// retransmissions, and those after a timeout.
func CongestionStates() []string { return congestionStates[1:] }

func (c congestion) String() string {
	if int(c) < len(congestionStates) {
		return congestionStates[c]
	}
	return ""
}

// congested counts a connection by its state.
func (c *Connections) congested(state string) {
	if state == "" {
		return
	}
	if c.Congestion == nil {
		c.Congestion = map[string]int{}
	}
	c.Congestion[state]++
}

// CongestionText is in words how many connections are in which state; empty where none is.
func CongestionText(counts map[string]int) string {
	var all []string
	for i := len(congestionStates) - 1; i > 0; i-- {
		if n := counts[congestionStates[i]]; n > 0 {
			all = append(all, fmt.Sprintf("%d in %s", n, congestionStates[i]))
		}
	}
	return strings.Join(all, ", ")
}

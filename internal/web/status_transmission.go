package web

import (
	"fmt"
	"maps"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
)

// transmission is what the kernel knows of how the application's data reaches the target.
func (s *applicationStatus) transmission(c *observe.Connections) {
	s.RTTVariance, s.Retransmitted = c.TCP.RTTVariance.Seconds(), c.Retransmitted
	s.WindowLimited, s.Unacknowledged = c.WindowLimited.Seconds(), c.TCP.Unacknowledged
	s.Window, s.Congested = c.TCP.Window, map[string]int{}
	maps.Copy(s.Congested, c.Congestion)
	if c.TCP.RTT > 0 {
		s.RoundTrip = record.Short(c.TCP.RTT) + " ± " + record.Short(c.TCP.RTTVariance)
		s.Congestion = fmt.Sprintf("mean window %d bytes", c.TCP.Window)
		if text := observe.CongestionText(c.Congestion); text != "" {
			s.Congestion = text + "; " + s.Congestion
		}
	}
	if c.Retransmitted > 0 {
		s.Loss = fmt.Sprintf("%d segments", c.Retransmitted)
	}
	if c.WindowLimited > 0 {
		s.Unread = "waited " + record.Long(c.WindowLimited) + " for the target's receive window: it does not read"
	}
}

// transmission adds the facts, in the words that the last probe's own have.
func (f *facts) transmission(a *applicationStatus) {
	f.add("TCP RTT", a.RoundTrip)
	f.add("retransmits", a.Loss)
	f.add("congestion", a.Congestion)
	f.add("receive window", a.Unread)
}

package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// applicationStatus is what the application's own connections show, beside the probes.
type applicationStatus struct {
	States          map[string]int    `json:"states"`
	Opened          uint64            `json:"opened"`
	Ended           []endingStatus    `json:"ended"`
	Lost            map[string]uint64 `json:"requests_lost"`
	OldestCloseWait float64           `json:"oldest_close_wait_seconds"`
	RTT             float64           `json:"rtt_seconds"`
	RTTVariance     float64           `json:"rtt_variance_seconds"`
	Retransmitted   uint64            `json:"retransmitted_segments"`
	WindowLimited   float64           `json:"window_limited_seconds"`
	Unacknowledged  uint64            `json:"unacknowledged_bytes"`
	Window          uint64            `json:"congestion_window_bytes"`
	Congested       map[string]int    `json:"congested"`
	Containers      []containerStatus `json:"containers,omitempty"`
	Open            string            `json:"-"` // in words, as what follows
	Ends            string            `json:"-"`
	Unanswered      string            `json:"-"`
	CloseWait       string            `json:"-"`
	RoundTrip       string            `json:"-"`
	Loss            string            `json:"-"`
	Congestion      string            `json:"-"`
	Unread          string            `json:"-"`
}

// containerStatus is what a container's connections show.
type containerStatus struct {
	Name  string `json:"name"`
	Open  int    `json:"open"`
	Ended uint64 `json:"ended"`
	Reset uint64 `json:"reset"`
	Lost  uint64 `json:"requests_lost"`
	Text  string `json:"-"` // in words
}

// endingStatus is how many connections ended in a way.
type endingStatus struct {
	How    observe.How `json:"how"`
	Origin string      `json:"origin,omitempty"`
	Count  uint64      `json:"count"`
}

// toApplication is the status of connections; nil where they are not observed.
func toApplication(c *observe.Connections) *applicationStatus {
	if c == nil {
		return nil
	}
	s := &applicationStatus{States: map[string]int{}, Opened: c.Opened, Ended: []endingStatus{}, Lost: map[string]uint64{},
		OldestCloseWait: c.OldestCloseWait.Seconds(), RTT: c.TCP.RTT.Seconds()}
	maps.Copy(s.States, c.States)
	for ending, n := range c.Ended {
		s.Ended = append(s.Ended, endingStatus{ending.How, string(ending.Origin), n})
	}
	slices.SortFunc(s.Ended, func(a, b endingStatus) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(string(a.How), string(b.How)),
			strings.Compare(a.Origin, b.Origin))
	})
	lost := uint64(0)
	for kind, n := range c.Lost {
		s.Lost[string(kind)] = n
		lost += n
	}
	s.transmission(c)
	for _, name := range observe.SortedContainers(c.Containers) {
		n := c.Containers[name]
		s.Containers = append(s.Containers, containerStatus{name, n.Open, n.Ended, n.Reset, n.Lost, name + ": " + n.String()})
	}
	s.Open, s.Ends = s.open(), s.ends()
	if lost > 0 {
		s.Unanswered = fmt.Sprintf("%d ended with a request in progress", lost)
	}
	if c.OldestCloseWait > 0 {
		s.CloseWait = "the oldest has been in CLOSE_WAIT for " + record.Long(c.OldestCloseWait)
	}
	return s
}

// open is how many connections there are, and in which states.
func (s *applicationStatus) open() string {
	if len(s.States) == 0 {
		return "none open"
	}
	var all []string
	for _, state := range slices.Sorted(maps.Keys(s.States)) {
		all = append(all, fmt.Sprintf("%d %s", s.States[state], state))
	}
	return strings.Join(all, ", ")
}

// ends is how connections ended; empty if none has.
func (s *applicationStatus) ends() string {
	var all []string
	for _, e := range s.Ended {
		all = append(all, fmt.Sprintf("%d %s", e.Count, record.EndWords(e.How, result.Origin(e.Origin))))
	}
	return strings.Join(all, ", ")
}

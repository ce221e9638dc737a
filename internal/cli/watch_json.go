package cli

import (
	"encoding/json"
	"time"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// endJSON is the end of a connection for programs, documented in docs/terminal.md. Durations are seconds.
type endJSON struct {
	Event     string        `json:"event"` // "end"
	Time      time.Time     `json:"time"`
	Target    string        `json:"target"`
	Local     string        `json:"local"`
	Remote    string        `json:"remote"`
	How       observe.How   `json:"how"`
	Certain   bool          `json:"certain"`
	Origin    result.Origin `json:"origin,omitempty"`
	Idle      float64       `json:"idle_seconds"`
	Age       *float64      `json:"age_seconds,omitempty"`
	Lost      observe.Lost  `json:"lost,omitempty"`
	Container string        `json:"container,omitempty"`
	tcpJSON
}

// connectionsJSON are the connections of a target.
type connectionsJSON struct {
	Event           string          `json:"event"` // "connections", or "summary" for the last
	Time            time.Time       `json:"time"`
	Target          string          `json:"target"`
	States          map[string]int  `json:"states"`
	Opened          uint64          `json:"opened"`
	Ended           []endedJSON     `json:"ended"`
	Containers      []containerJSON `json:"containers,omitempty"`
	Congestion      map[string]int  `json:"congested,omitempty"`
	OldestCloseWait float64         `json:"oldest_close_wait_seconds"`
	EventsLost      uint64          `json:"events_lost"`
	tcpJSON
}

type endedJSON struct {
	How    observe.How   `json:"how"`
	Origin result.Origin `json:"origin,omitempty"`
	Count  uint64        `json:"count"`
}

type containerJSON struct {
	Name  string `json:"name"`
	Open  int    `json:"open"`
	Ended uint64 `json:"ended"`
	Reset uint64 `json:"reset"`
	Lost  uint64 `json:"lost"`
}

type tcpJSON struct {
	RTT            float64 `json:"rtt_seconds"`
	RTTVariance    float64 `json:"rtt_variance_seconds"`
	Retransmits    uint64  `json:"retransmitted_segments"`
	Unacknowledged uint64  `json:"unacknowledged"`
	BytesSent      uint64  `json:"sent_bytes"`
	BytesReceived  uint64  `json:"received_bytes"`
	Window         uint64  `json:"congestion_window_bytes"`
	Congestion     string  `json:"congestion_state,omitempty"`
}

func toTCP(t *observe.TCP) tcpJSON {
	return tcpJSON{t.RTT.Seconds(), t.RTTVariance.Seconds(), t.Retransmits, t.Unacknowledged, t.BytesSent,
		t.BytesReceived, t.Window, t.Congestion}
}

// EndJSON prints the end of one connection as one line of JSON.
func (p *Printer) EndJSON(e *observe.End) error {
	out := endJSON{Event: "end", Time: e.At, Target: e.Target, Local: e.Local.String(), Remote: e.Remote.String(),
		How: e.How, Certain: e.Certain, Origin: e.Origin, Idle: idleOf(e).Seconds(), Lost: e.Lost, Container: e.Container,
		tcpJSON: toTCP(&e.TCP)}
	if e.Age >= 0 {
		age := e.Age.Seconds()
		out.Age = &age
	}
	return json.NewEncoder(escape.NewWriter(p.Out)).Encode(out)
}

// A glance is a target's connections at one time.
type glance struct {
	Event      string
	At         time.Time
	Target     string
	Now        observe.Connections
	EventsLost uint64
}

// ConnectionsJSON prints the connections of one target as one line of JSON.
func (p *Printer) ConnectionsJSON(g *glance) error {
	out := connectionsJSON{Event: g.Event, Time: g.At, Target: g.Target, States: g.Now.States, Opened: g.Now.Opened,
		Ended: []endedJSON{}, Congestion: g.Now.Congestion,
		OldestCloseWait: g.Now.OldestCloseWait.Seconds(), EventsLost: g.EventsLost,
		tcpJSON: toTCP(&g.Now.TCP)}
	if out.States == nil {
		out.States = map[string]int{}
	}
	for _, kind := range sortedEndings(g.Now.Ended) {
		out.Ended = append(out.Ended, endedJSON{kind.How, kind.Origin, g.Now.Ended[kind]})
	}
	for _, name := range observe.SortedContainers(g.Now.Containers) {
		n := g.Now.Containers[name]
		out.Containers = append(out.Containers, containerJSON{name, n.Open, n.Ended, n.Reset, n.Lost})
	}
	return json.NewEncoder(escape.NewWriter(p.Out)).Encode(out)
}

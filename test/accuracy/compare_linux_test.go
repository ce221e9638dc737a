package accuracy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// reported is what a prober says of a connection.
type reported struct {
	phases   map[result.Phase]time.Duration
	reliable bool
}

// excess is by how much reports are above the wire, in milliseconds and in their order, by phase, of those that are
// called reliable.
type excess map[result.Phase][]float64

func (e excess) at(p result.Phase, share float64) float64 {
	if len(e[p]) == 0 {
		return 0
	}
	slices.Sort(e[p])
	return e[p][min(len(e[p])-1, int(share*float64(len(e[p]))))]
}

// cells are the cells of a table: the median and the 99th percentile of each phase.
func (e excess) cells(phases []result.Phase) string {
	var cells strings.Builder
	for _, phase := range phases {
		if len(e[phase]) == 0 {
			cells.WriteString(" – |")
		} else {
			fmt.Fprintf(&cells, " %.2f / %.2f |", e.at(phase, 0.5), e.at(phase, 0.99))
		}
	}
	return cells.String()
}

// measured are the phases that the wire knows of.
var measured = []result.Phase{result.Connect, result.TLS, result.Processing, result.Transfer}

// comparison is what came of comparing reports with the wire.
type comparison struct {
	excess     excess
	compared   int // reports that are in excess
	unreliable int // that are marked so
	lost       int // whose connection the capture does not have
}

// compare compares reports with the wire; those that are marked unreliable are left out unless they are wanted. An
// error of the same size below the wire counts as well.
func compare[K comparable](reports map[K]reported, truths map[K]*Truth, alsoUnreliable bool) comparison {
	c := comparison{excess: excess{}}
	for key, r := range reports {
		truth := truths[key]
		if truth == nil || truth.Answered.IsZero() {
			c.lost++
			continue
		}
		if !r.reliable {
			if c.unreliable++; !alsoUnreliable {
				continue
			}
		}
		c.compared++
		wire := map[result.Phase]time.Duration{
			result.Connect: truth.SYNACK.Sub(truth.SYN), result.TLS: truth.TLS,
			result.Processing: truth.Answered.Sub(truth.Asked), result.Transfer: truth.Last.Sub(truth.Answered),
		}
		for _, phase := range measured {
			if d, ok := r.phases[phase]; ok {
				c.excess[phase] = append(c.excess[phase],
					max((d-wire[phase]).Seconds()*1e3, (wire[phase]-d).Seconds()*1e3))
			}
		}
	}
	return c
}

// problems are why a comparison of n probes shows too little, where results may be marked unreliable only in part: the
// capture has to have nearly all connections, and half of the results have to be reliable, with every phase.
func (c *comparison) problems(n int, phases []result.Phase) []string {
	var found []string
	if reported := c.compared + c.unreliable + c.lost; reported < n {
		found = append(found, fmt.Sprintf("%d of %d probes were reported", reported, n))
	}
	if c.lost*20 > n {
		found = append(found, fmt.Sprintf("the capture lacks %d of %d connections", c.lost, n))
	}
	if c.compared*2 < n {
		found = append(found, fmt.Sprintf("%d of %d probes were compared, %d were unreliable", c.compared, n,
			c.unreliable))
	}
	for _, phase := range phases {
		if got := len(c.excess[phase]); got < c.compared {
			found = append(found, fmt.Sprintf("%d of %d results have the phase %s", got, c.compared, phase))
		}
	}
	return found
}

// A comparison that shows nothing is a failure, whatever it lacks.
func TestProblems(t *testing.T) {
	phases := []result.Phase{result.Connect}
	at := excess{result.Connect: make([]float64, 90)}
	for _, row := range []struct {
		name string
		c    comparison
		want int
	}{
		{"complete", comparison{at, 90, 10, 0}, 0},
		{"a few lost", comparison{at, 90, 5, 5}, 0},
		{"nothing reported", comparison{}, 2},
		{"nothing captured", comparison{lost: 100}, 2},
		{"a tenth lost", comparison{at, 90, 0, 10}, 1},
		{"all unreliable", comparison{unreliable: 100}, 1},
		{"a phase missing", comparison{excess{}, 90, 10, 0}, 1},
	} {
		if got := row.c.problems(100, phases); len(got) != row.want {
			t.Errorf("%s: %q, want %d problems", row.name, got, row.want)
		}
	}
}

// Two connections from one address are two, and a repeated SYN makes none.
func TestTruthsOfOneAddress(t *testing.T) {
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:80")
	start := time.Unix(1_800_000_000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var packets []Packet
	for _, begin := range []int{0, 1000} {
		packets = append(packets, Packet{From: client, To: server, Outgoing: true, SYN: true, At: at(begin)},
			Packet{From: client, To: server, Outgoing: true, SYN: true, At: at(begin + 10)},
			Packet{From: server, To: client, SYN: true, ACK: true, At: at(begin + 20)},
			Packet{From: client, To: server, Outgoing: true, Bytes: 100, Seq: 1, Path: "/", At: at(begin + 30)},
			Packet{From: server, To: client, Bytes: 100, Seq: 1, At: at(begin + 40)})
	}
	got := Truths(packets, TLS13)
	if len(got) != 2 {
		t.Fatalf("%d connections, want 2", len(got))
	}
	for use, begin := range []int{0, 1000} {
		want := Truth{SYN: at(begin + 10), SYNACK: at(begin + 20), Path: "/", Asked: at(begin + 30),
			Answered: at(begin + 40), Last: at(begin + 40)}
		if truth := got[Connection{client, use}]; truth == nil || *truth != want {
			t.Errorf("use %d: %+v, want %+v", use, truth, want)
		}
	}
}

// byPath are the truths by the request's path.
func byPath(truths map[Connection]*Truth) map[string]*Truth {
	paths := map[string]*Truth{}
	for _, truth := range truths {
		paths[truth.Path] = truth
	}
	return paths
}

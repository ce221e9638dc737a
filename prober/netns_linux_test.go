package prober_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober/result"
)

// Faults that need network namespaces: each row is a fault of netlab in a Net of its own, probed from c by this very
// test binary (netns_child_linux_test.go). The probes of a phase are under way at once: most of them wait.

// netnsRow is one fault, how it is probed, and what must be seen, each time.
type netnsRow struct {
	name  string
	fault netlab.Fault
	// its zero values mean: one probe of deadline length, without a body, in a process that is short of nothing
	visit visit
	want  sighting
}

// sighting is what a probe says of a fault, by column.
type sighting struct {
	Phase  result.Phase
	Reason result.Reason
	Errno  string
	Origin result.Origin
	ICMP   string        // type/code and router of the message in the socket's error queue
	TCP    string        // what TCP_INFO shows; in want, alternatives are separated by " or "
	Took   time.Duration // to the second
}

// deadline is what a probe is given, and in sighting what it took, when nothing but its own deadline can end it. It is
// shorter than the second after which a SYN is repeated.
const deadline = 900 * time.Millisecond

// again is how often a fault is probed that could race.
const again = 50

func TestNetns(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	t.Run("this host", func(t *testing.T) { sightAll(t, netnsLocalRows()) })
	t.Run("connect", func(t *testing.T) { sightAll(t, netnsConnectRows()) })
	t.Run("rejections", func(t *testing.T) { sightAll(t, netnsRejectionRows()) })
	t.Run("resolve", func(t *testing.T) { sightAll(t, netnsResolveRows()) })
	t.Run("QUIC", func(t *testing.T) { sightAll(t, netnsQUICRows()) })
	t.Run("exchange", func(t *testing.T) { sightAll(t, netnsExchangeRows()) })
}

// sightAll has the probes of all rows under way at once and compares what they see.
func sightAll(t *testing.T, rows []netnsRow) {
	sight := make([]func() ([]report, error), len(rows))
	for i := range rows {
		n := netlab.New(t)
		rows[i].visit.URL = rows[i].fault(n)
		sight[i] = startVisit(t, n, rows[i].visit)
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			reports, err := sight[i]()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range reports {
				if diff := cmp.Diff(row.want, r.sighting(row.want)); diff != "" {
					t.Fatalf("Probe(%s) differs (-want +got):\n%s\n%s", row.visit.URL, diff, r.evidence())
				}
				if late := r.Elapsed - r.Timeout; late > 300*time.Millisecond {
					t.Errorf("Probe(%s) ended %v after its deadline", row.visit.URL, late)
				}
			}
		})
	}
}

// startVisit starts the probes of a visit in c and returns what waits for their reports.
func startVisit(t *testing.T, n *netlab.Net, v visit) func() ([]report, error) {
	t.Helper()
	v = v.withDefaults()
	order, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode visit: %v", err)
	}
	command := n.Command(netlab.C, os.Args[0], "-test.run=^TestNetnsChild$", "-test.timeout=60s")
	command.Env = append(os.Environ(), childVariable+"="+string(order))
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaint
	if err := command.Start(); err != nil {
		t.Fatalf("start probe: %v", err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // if the test ends before the probe; else it is gone
	return func() ([]report, error) {
		if err := command.Wait(); err != nil {
			return nil, fmt.Errorf("probe in namespace: %w\n%s%s", err, output.String(), complaint.String())
		}
		return readReports(&output, v.Count)
	}
}

// readReports reads the reports before the words of package testing.
func readReports(output *bytes.Buffer, count int) ([]report, error) {
	text := output.String()
	decoder := json.NewDecoder(output)
	reports := make([]report, count)
	for i := range reports {
		if err := decoder.Decode(&reports[i]); err != nil {
			return nil, fmt.Errorf("decode report %d of %d: %w in %s", i+1, count, err, text)
		}
	}
	return reports, nil
}

// sighting puts a report into columns. Where want leaves TCP alternatives and one was seen, it is want's text.
func (r report) sighting(want sighting) sighting {
	s := sighting{
		Phase: r.Phase, Reason: r.Reason, Errno: r.Errno, Origin: r.Origin,
		TCP: r.tcp(), Took: r.Elapsed.Round(time.Second),
	}
	if r.ICMP != nil {
		s.ICMP = fmt.Sprintf("%d/%d from %s", r.ICMP.Type, r.ICMP.Code, r.ICMP.From)
	}
	if slices.Contains(strings.Split(want.TCP, " or "), s.TCP) {
		s.TCP = want.TCP
	}
	return s
}

// tcp is what of TCP_INFO tells faults apart: while connecting the segments sent; afterwards what was not answered.
func (r report) tcp() string {
	if r.Info == nil {
		return ""
	}
	if r.Phase == result.Connect {
		return fmt.Sprintf("%s sent=%d", r.Info.State, r.Info.SegsOut)
	}
	words := []string{r.Info.State}
	for _, sign := range []struct {
		word string
		seen bool
	}{
		{"SYN repeated", r.SYNRetransmits > 0},
		{"unacked", r.Info.Unacked > 0 && (r.Info.Backoff > 0 || r.Info.Retransmits > 0)},
		{"keepalives", r.Info.Probes > 0},
		{"hole", r.Info.OutOfOrderQueued},
		{"short segments", r.Info.PMTU < 1500},
	} {
		if sign.seen {
			words = append(words, sign.word)
		}
	}
	return strings.Join(words, ", ")
}

// evidence is all that the probe has seen, for the reader of a row that failed.
func (r report) evidence() string {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

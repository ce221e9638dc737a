package prober_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/internal/reset"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// provenance is what is seen of who sent a RST.
type provenance struct {
	Phase  result.Phase
	Reason result.Reason
	Origin result.Origin
	Sender result.Sender
	Delta  int
	Live   bool
	form
	unprivileged
}

// form is what the segment itself looks like (failures.md, section 5).
type form struct {
	Kind     string
	Sequence result.Sequence
	Window   bool // there is one
	Timed    bool // after a SYN-ACK, which was captured
}

// unprivileged is what experiments find without a capture; empty where they cannot tell.
type unprivileged struct {
	Measured result.Sender
	Closed   result.Than // where the refusal of a closed port comes from
}

// resetRow is a way in which resets come about.
type resetRow struct {
	name  string
	fault netlab.Fault
	then  func(*netlab.Net) // after three probes; nil for nothing
	want  provenance
}

const (
	processing = result.Processing
	connecting = result.Connect
)

// resetRows are failures.md, section 5, with two routers between.
func resetRows(f netlab.Family) []resetRow {
	rejects := func(at netlab.Node, hook string) func(*netlab.Net) {
		return func(n *netlab.Net) { n.Filter(at, hook, "tcp dport 80 reject with tcp reset") }
	}
	by := func(who result.Sender) unprivileged { return unprivileged{Measured: who} }
	known := func(who result.Sender, closed result.Than) unprivileged { return unprivileged{who, closed} }
	ambiguous := result.Ambiguous
	exact := result.SequenceExact
	aborted, bare, refusing := form{"RST-ACK", exact, true, true}, form{"RST", exact, false, true}, form{Kind: "RST-ACK"}
	return []resetRow{
		{"the application aborts", netlab.Aborts(f), nil,
			provenance{processing, result.TCPReset, result.Peer, result.EndHost, 0, true, aborted, by(result.EndHost)}},
		{"the server has forgotten", netlab.HostForgets(f), nil,
			provenance{processing, result.TCPReset, result.Peer, result.EndHost, 0, false, bare, by(result.EndHost)}},
		{"the server has forgotten, and its sockets have a TTL of their own", netlab.OtherTTL(f), nil,
			provenance{processing, result.TCPReset, result.Peer, ambiguous, -36, false, bare, by(ambiguous)}},
		{"r1 resets the request", netlab.RequestReset(f, netlab.R1), nil,
			provenance{processing, result.TCPReset, result.Path, result.Middlebox, 2, false, bare, by(result.Middlebox)}},
		{"r2 resets the request", netlab.RequestReset(f, netlab.R2), nil,
			provenance{processing, result.TCPReset, result.Path, result.Middlebox, 1, false, bare, by(result.Middlebox)}},
		{"own firewall resets the request", netlab.OwnRequestReset(f), nil,
			provenance{processing, result.TCPReset, result.Local, result.ThisHost, 2, false, bare, by(result.ThisHost)}},
		{"r2 resets the ClientHello", overTLS(netlab.RequestReset(f, netlab.R2)), nil,
			provenance{result.TLS, result.TCPReset, result.Path, result.Middlebox, 1, false, bare, by(result.Middlebox)}},

		{"nothing listens, and nothing is known", netlab.ClosedPort(f), nil,
			provenance{connecting, result.TCPRefused, result.Peer, ambiguous, 0, false, refusing,
				known(ambiguous, result.Alike)}},
		{"r1 resets the SYN, and nothing is known", netlab.SYNReset(f, netlab.R1), nil,
			provenance{connecting, result.TCPRefused, result.Peer, ambiguous, 0, false, refusing,
				known(ambiguous, result.Farther)}},
		{"r1 resets the SYN of a server that worked", netlab.Healthy(f), rejects(netlab.R1, "forward"),
			provenance{connecting, result.TCPRefused, result.Path, result.Middlebox, 2, false, refusing,
				known(ambiguous, result.Farther)}},
		{"r1 resets the SYN of a server that aborted", netlab.Aborts(f), rejects(netlab.R1, "forward"),
			provenance{connecting, result.TCPRefused, result.Path, result.Middlebox, 2, false, refusing,
				known(result.Middlebox, result.Farther)}},
		{"r2 resets the SYN of a server that aborted", netlab.Aborts(f), rejects(netlab.R2, "forward"),
			provenance{connecting, result.TCPRefused, result.Path, result.Middlebox, 1, false, refusing,
				known(result.Middlebox, result.Farther)}},
		{"r1 resets every SYN to the server's host", netlab.Aborts(f),
			func(n *netlab.Net) {
				n.Filter(netlab.R1, "forward", "tcp flags syn / syn,ack reject with tcp reset")
			},
			provenance{connecting, result.TCPRefused, result.Path, result.Middlebox, 2, false, refusing,
				known(result.Middlebox, result.Alike)}},
		{"r1 resets SYNs to other ports than the server's, which nothing listens on any more", netlab.ClosedPort(f),
			func(n *netlab.Net) { n.Filter(netlab.R1, "forward", "tcp dport 1 reject with tcp reset") },
			provenance{connecting, result.TCPRefused, result.Peer, ambiguous, 0, false, refusing,
				known(ambiguous, result.Nearer)}},
		{"a server that aborted rejects", netlab.Aborts(f), rejects(netlab.S, "input"),
			provenance{connecting, result.TCPRefused, result.Peer, result.EndHost, 0, false, refusing,
				known(result.EndHost, result.Alike)}},
		{"own firewall resets the SYN", netlab.Healthy(f), rejects(netlab.C, "output"),
			provenance{connecting, result.TCPRefused, result.Local, result.ThisHost, 2, false, refusing, by(result.ThisHost)}},
	}
}

func overTLS(fault netlab.Fault) netlab.Fault {
	return func(n *netlab.Net) string { return strings.Replace(fault(n), "http://", "https://", 1) }
}

// Who sent the RST, as the capture sees it and as the experiments find it that need no privilege. The two agree, or the
// experiments leave it open.
func TestNetnsCapture(t *testing.T) {
	if testing.Short() {
		t.Skip("short mode never leaves loopback")
	}
	if err := netlab.Available(); err != nil {
		t.Skip(err)
	}
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		for _, row := range resetRows(f) {
			t.Run(f.String()+" "+row.name, func(t *testing.T) {
				t.Parallel()
				got := seen(t, &row)
				if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(provenance{})); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if got.Measured != "" && got.Measured != result.Ambiguous && got.Measured != got.Sender &&
					got.Sender != result.Ambiguous {
					t.Errorf("the experiment says %s, the capture %s", got.Measured, got.Sender)
				}
			})
		}
	}
}

// seen is what is seen of a row.
func seen(t *testing.T, row *resetRow) provenance {
	t.Helper()
	n := netlab.New(t)
	m := labModule()
	m.Timeout = 3 * time.Second
	inside := func(f func()) {
		t.Helper()
		if err := n.Inside(netlab.C, func() error { f(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var capture *reset.Capture
	var err error
	inside(func() { capture, err = reset.Open(nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	captured := prober.New(prober.Options{Resets: capture})
	bare := prober.New(prober.Options{Distances: prober.NewDistances()})
	url := row.fault(n)
	var r result.Result
	for range 3 {
		inside(func() { r = probe(t, captured, url, m) })
	}
	if row.then != nil {
		inside(func() { measured(t, bare, url, m) }) // nothing, if it worked
		row.then(n)
	}
	inside(func() { r = probe(t, captured, url, m) })
	got := provenance{}
	if f := r.Failure; f != nil {
		got.Phase, got.Reason, got.Origin = f.Phase, f.Reason, f.Origin
	}
	if w := r.Last().LastHop().Wire; w != nil && w.Reset != nil {
		got.Sender, got.Live = w.Reset.Sender, w.Reset.Live
		if delta, known := w.Reset.Delta(); known {
			got.Delta = delta
		}
		if s := w.Reset.RST; s != nil && s.At > 0 && s.Index > 0 && s.Index <= s.Count {
			got.form = form{s.Kind(), s.Sequence, s.Window != 0, s.AfterSYNACK > 0}
		}
	}
	inside(func() { got.unprivileged = measured(t, bare, url, m) })
	return got
}

// measured is what experiments find that need no capture.
func measured(t *testing.T, p *prober.Prober, url string, m *module.Module) unprivileged {
	t.Helper()
	r := probe(t, p, url, m)
	target, err := prober.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	var found unprivileged
	for _, c := range p.Diagnose(t.Context(), target, &r, m) {
		switch c.Kind {
		case result.ResetDistance:
			found.Measured = c.Sender
		case result.ClosedPort:
			found.Closed = c.Than
		}
	}
	return found
}

package cause

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/host"
	"errno_exporter/prober"
)

func failed(phase prober.Phase, reason prober.Reason, origin prober.Origin) Observation {
	return Observation{Timeout: 10 * time.Second, Addr: netip.MustParseAddr("192.0.2.1"), Failure: &prober.Failure{Phase: phase, Reason: reason, Origin: origin}}
}

// ok is a success whose answer took so many milliseconds.
func ok(ms time.Duration) Observation {
	return Observation{Timeout: 10 * time.Second, Processing: ms * time.Millisecond}
}

func control(kind prober.ControlKind, works bool) prober.Control {
	if works {
		return prober.Control{Kind: kind}
	}
	return prober.Control{Kind: kind, Failure: &prober.Failure{}}
}

// A verdict follows from the evidence alone; what fits nothing, or hangs together with nothing, is unknown. The incidents that are played end to
// end have theirs in docs/causes.md: here is what they do not reach.
func TestJudge(t *testing.T) {
	reset := failed(prober.Processing, prober.TCPReset, prober.Peer)
	timeout := failed(prober.Connect, prober.TCPTimedOut, prober.Self)
	slow := failed(prober.Processing, prober.HTTPResponseTimedOut, prober.Self)
	slow.Delivered = true
	starved := slow
	starved.Late = 3 * time.Second
	hardly := slow
	hardly.Late = 20 * time.Millisecond
	ambiguous := reset
	ambiguous.Reset = &prober.Reset{Sender: prober.Ambiguous, TTL: 62, Reference: 98}
	middlebox := reset
	middlebox.Reset = &prober.Reset{Sender: prober.Middlebox, TTL: 64, Reference: 62}
	for _, row := range []struct {
		name     string
		evidence Evidence
		cause    Cause
		sure     Confidence
	}{
		{"nothing was seen", Evidence{}, "", ""},
		{"all is well", Evidence{Recent: []Observation{ok(1), ok(1)}}, "", ""},
		{"abandoned", Evidence{Recent: []Observation{failed(prober.Processing, prober.Abandoned, prober.Self)}}, "", ""},
		{"a failure long ago", Evidence{Recent: []Observation{reset, ok(1), ok(1), ok(1), ok(1), ok(1)}}, "", ""},
		{"resets, and nothing else is known", Evidence{Recent: []Observation{reset, reset}}, Unknown, Low},
		{"resets whose sender cannot be told", Evidence{Recent: []Observation{ambiguous}}, Unknown, Low},
		{"a reset from a box", Evidence{Recent: []Observation{middlebox}}, FirewallReject, High},
		{"one reset from a box among many successes is a box's", Evidence{Recent: []Observation{ok(1), ok(1), ok(1), ok(1), ok(1), ok(1), middlebox, ok(1)}}, FirewallReject, High},
		{"one reset among many successes", Evidence{Recent: []Observation{ok(1), ok(1), ok(1), ok(1), ok(1), ok(1), reset, ok(1)}}, Transient, Medium},
		{"one failure among few", Evidence{Recent: []Observation{ok(1), reset}}, ServerOverloaded, Low},
		{"silence, and nothing else is known", Evidence{Recent: []Observation{timeout}}, Unknown, Low},
		{"silence, and our way out is down", Evidence{Recent: []Observation{timeout}, Egress: Egress{Known: true}}, NoEgress, High},
		{"silence, and our way out is up", Evidence{Recent: []Observation{timeout}, Egress: Egress{Known: true, Up: true}}, FirewallDrop, Medium},
		{"silence everywhere", Evidence{Recent: []Observation{timeout}, Egress: Egress{Others: 3, Unreached: 3}}, NoEgress, Medium},
		{"silence here, and one other is reached", Evidence{Recent: []Observation{timeout}, Egress: Egress{Others: 3, Unreached: 2}}, FirewallDrop, Medium},
		{"a reset is no matter of our way out", Evidence{Recent: []Observation{middlebox}, Egress: Egress{Known: true}}, FirewallReject, High},
		{"starved", Evidence{Recent: []Observation{starved}, Host: host.Record{CPUPressure: 0.9}}, LocalStarved, High},
		{"overloaded", Evidence{Recent: []Observation{failed(prober.Validate, prober.LocalOverloaded, prober.Local)}}, LocalStarved, High},
		{"hardly starved", Evidence{Recent: []Observation{hardly}}, ServerOverloaded, Medium},
		{"more time helps, and it always took long", Evidence{Recent: []Observation{ok(6000), ok(6000), ok(6000), slow}, Controls: []prober.Control{control(prober.Again, false), control(prober.MoreTime, true)}},
			TimeoutTooShort, High},
		{"more time helps, and it used to be quick", Evidence{Recent: []Observation{ok(10), ok(10), ok(10), slow}, Controls: []prober.Control{control(prober.Again, false), control(prober.MoreTime, true)}},
			ServerOverloaded, Medium},
		{"small segments work in one of two tries", Evidence{Recent: []Observation{failed(prober.Processing, prober.TCPAborted, prober.Self)},
			Controls: []prober.Control{control(prober.Again, false), control(prober.SmallSegments, false), control(prober.SmallSegments, true)}}, PMTUBlackHole, High},
		{"the same again works: what else was changed proves nothing", Evidence{Recent: []Observation{reset}, Controls: []prober.Control{control(prober.Again, true), control(prober.OtherAddress, true)}},
			Unknown, Low},
		{"kept connections fail, fresh ones too: the fresh one is judged", Evidence{Recent: []Observation{middlebox},
			Kept: []Kept{{Age: time.Minute, Failure: &prober.Failure{Phase: prober.Idle, Reason: prober.TCPClosed}}}}, FirewallReject, High},
		{"a kept connection ended in order", Evidence{Recent: []Observation{ok(1)},
			Kept: []Kept{{Age: time.Minute, Failure: &prober.Failure{Phase: prober.Idle, Reason: prober.TCPClosed}}}}, ServerIdleTimeout, High},
	} {
		v, found := Judge(&row.evidence)
		if found != (row.cause != "") {
			t.Errorf("%s: a verdict %t: %+v", row.name, found, v)
			continue
		}
		if diff := cmp.Diff([]string{string(row.cause), string(row.sure)}, []string{string(v.Cause), string(v.Confidence)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// Every cause has its words.
func TestCausesHaveWords(t *testing.T) {
	seen := map[Cause]bool{}
	for _, row := range Causes {
		if seen[row.Cause] || row.Sentence == "" || row.Advice == "" || row.Cause.Info() != row {
			t.Errorf("%+v: twice, or without words", row)
		}
		seen[row.Cause] = true
	}
}

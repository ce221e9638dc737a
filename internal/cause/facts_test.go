package cause

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"errno_exporter/prober/result"
)

// TestFacts compares the facts of all combinations of what they depend on with testdata/facts.txt, a line each. -update
// writes the file; its diff is reviewed.
func TestFacts(t *testing.T) {
	names := factNames(t)
	var b strings.Builder
	for _, row := range slices.Concat(wordsOfReasons(), endsOfConnections(), wires(), icmpMessages(), idleEnds(),
		statuses(), alerts(), sequences(), experimentSequences()) {
		var facts []string
		if _, k := factsOf(&row.evidence); k != nil {
			for f := range numFacts {
				if k.has(f) {
					facts = append(facts, names[f])
				}
			}
		}
		v, _ := Judge(&row.evidence)
		fmt.Fprintf(&b, "%s: %s = %s %s %s\n", row.name, strings.Join(facts, " "), v.Cause, v.Party, v.Confidence)
	}
	compareGolden(t, "facts.txt", b.String())
}

// compareGolden compares a text with a file of testdata, or writes it.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run: go test ./internal/cause -update, and read the diff\n%s", file,
			firstDifference(got, string(want)))
	}
}

// single is a situation of one digest.
func single(o Digest, name string, args ...any) situation {
	return situation{name: fmt.Sprintf(name, args...), evidence: after([]Digest{o})}
}

// wordsOfReasons has each reason in each of its phases and in those beside them, twice in a row.
func wordsOfReasons() (all []situation) {
	for _, row := range result.Reasons {
		for _, phase := range result.Phases {
			if !slices.Contains(row.Phases, phase.Phase) {
				continue
			}
			for _, origin := range []result.Origin{result.Peer, result.Local} {
				all = append(all, situation{name: fmt.Sprintf("%s %s %s", phase.Phase, row.Reason, origin),
					evidence: after(n(2, failed(phase.Phase, row.Reason, origin)))})
			}
		}
	}
	return all
}

// injected looks as if the server had sent it, and as if an injector had.
var injected = &result.Reset{Sender: result.EndHost, TTL: 62, Reference: 62, Live: true,
	RST: &result.RST{AheadAfter: true}}

// endsOfConnections has each end with each sender of a reset.
func endsOfConnections() (all []situation) {
	for _, f := range []Digest{resetBare, refused, closedFIN, hello, hangs,
		failed(result.Processing, result.QUICReset, result.Peer),
		failed(result.Processing, result.TCPReset, result.Local)} {
		for _, r := range []*result.Reset{nil, {Sender: result.Middlebox, TTL: 64, Reference: 62},
			{Sender: result.ThisHost, TTL: 64, Reference: 62}, {Sender: result.EndHost, TTL: 62, Reference: 62},
			{Sender: result.EndHost, TTL: 62, Reference: 62, Live: true},
			injected, {Sender: result.Ambiguous, TTL: 62, Live: true}} {
			for _, place := range []struct {
				name   string
				change func(*Digest)
			}{{"", func(*Digest) {}}, {" through a proxy", proxied}, {" on this host", nearby}} {
				o := seen(f, place.change)
				o.Reset = r
				sender := "no reset"
				if r != nil {
					sender = fmt.Sprintf("%s live=%t", r.Sender, r.Live)
				}
				if r.Doubtful() {
					sender += ", another ahead"
				}
				all = append(all, single(o, "%s %s %s, %s%s", o.Failure.Phase, o.Failure.Reason, o.Failure.Origin,
					sender, place.name))
			}
		}
	}
	return all
}

// wires has what a socket saw of a connection that went silent.
func wires() (all []situation) {
	late := failed(result.Transfer, result.HTTPResponseTimedOut, result.Self)
	for _, f := range []Digest{dead, hangs, late, failed(result.Transfer, result.TCPClosed, result.Peer)} {
		for _, delivered := range []bool{false, true} {
			for _, received := range []int64{0, 5} {
				for _, segments := range []uint32{2, 3} {
					for _, sent := range []int64{0, 200, 5000} {
						o := f
						o.Delivered, o.Received, o.Segments, o.Sent, o.Progress = delivered, received, segments, sent,
							received > 0
						all = append(all, single(o, "%s %s, delivered %t, received %d in %d segments, sent %d",
							o.Failure.Phase, o.Failure.Reason, delivered, received, segments, sent))
					}
				}
			}
		}
	}
	for _, size := range []int64{0, 1, 999, 1000} {
		small := worked(1, func(o *Digest) { o.Received = size })
		all = append(all, situation{name: fmt.Sprintf("answers of %d bytes", size),
			evidence: after(n(3, small), n(1, hangs))})
	}
	return all
}

// icmpMessages has the messages that decide something, of IPv4 and IPv6, from the server and from a router.
func icmpMessages() (all []situation) {
	unreachable := failed(result.Connect, result.TCPAddressUnreachable, result.Path)
	for _, f := range []Digest{refused, noUDP, unreachable, unanswered, resetBare} {
		for _, server := range []string{"192.0.2.1", "2001:db8::1"} {
			for _, from := range []string{server, map[bool]string{true: "198.51.100.1",
				false: "2001:db8:1::1"}[server[3] == '.']} {
				for _, m := range [][2]uint8{{3, 1}, {3, 3}, {3, 4}, {3, 9}, {3, 10}, {3, 13}, {1, 0}, {1, 1}, {1, 3},
					{1, 4}, {1, 5}, {1, 6}, {1, 9}, {4, 3}, {4, 4}, {4, 9}} {
					o := f
					o.Addr = netip.MustParseAddr(server)
					o.ICMP = &result.ICMP{Type: m[0], Code: m[1], From: netip.MustParseAddr(from)}
					all = append(all, single(o, "%s %s, ICMP %d/%d from %s of %s", o.Failure.Phase, o.Failure.Reason,
						m[0], m[1], from, server))
				}
			}
		}
	}
	return all
}

// statuses has refused statuses, with what answers say.
func statuses() (all []situation) {
	for _, code := range []int{200, 304, 399, 400, 401, 403, 405, 406, 411, 412, 413, 414, 415, 416, 417, 422, 426, 428,
		429, 431, 499, 500, 501, 502, 503, 504, 599} {
		all = append(all, single(status(code), "status %d", code))
	}
	for _, code := range []int{200, 403, 404, 429, 500, 503} {
		for name, change := range map[string]func(*Digest){"a limit": limited, "maintenance": pausing,
			"later": later, "soon": speaks(func(s *Said) { s.RetryAfter = announcesLater - 1 }), "a gateway": gateway,
			"a proxy": ofProxy, "denied": speaks(func(s *Said) { s.Denied = true }),
			"no name": speaks(func(s *Said) { s.NoName = true }), "relayed": proxied,
			"relayed, of the origin": func(o *Digest) { proxied(o); origin(o) }} {
			all = append(all, single(status(code, change), "status %d, %s", code, name))
			o := seen(resetBare, change)
			o.Status = code
			all = append(all, single(o, "a reset after status %d, %s", code, name))
		}
	}
	slices.SortFunc(all, func(a, b situation) int { return strings.Compare(a.name, b.name) })
	return all
}

// alerts has TLS alerts, and certificates that are shown.
func alerts() (all []situation) {
	for _, reason := range []result.Reason{result.TLSProtocolError, result.TLSFailed, result.TLSALPNMismatch,
		result.TLSCertDateInvalid, result.TCPReset} {
		for _, alert := range []uint8{0, 40, 80} {
			for _, shown := range []bool{false, true} {
				o := failed(result.TLS, reason, result.Peer)
				o.Alert, o.CertShown = alert, shown
				all = append(all, single(o, "%s, alert %d, certificate shown %t", reason, alert, shown))
			}
		}
	}
	return all
}

// sequences has successes and failures in each order, with and without the failure repeated.
func sequences() (all []situation) {
	for length := range 6 {
		for bits := range 1 << length {
			name := ""
			for i := range length {
				name += string("+-"[bits>>i&1])
			}
			all = append(all, inOrder(name))
		}
	}
	for _, name := range []string{"~", "~~", "+~", "~+", "-~", "~-", "~-~", "-~-", "~~~~~~", "++++++++~", "++++++~~~",
		"~~~~~~~~~~~~~", "-~-~-~-~-~-~-", "++++~++++~++", "+++++++++-+", "+++++++++--+", "++++++++-+-+", "++++++-+-+-+",
		"+++++++++++++++---+",
		"++++++++++-++", "---------++++", "-++++++++++++", "-++++++++++++-", "--+++++++++++--", "++++-+", "+++-+"} {
		all = append(all, inOrder(name))
	}
	for _, order := range []string{"-", "+-", "-+", "--", "+-+", "++++++++++-", "++++++++++-+"} {
		for _, words := range []string{"again+", "again-", "again- again+", "again- again-", "again- again- again-"} {
			s := inOrder(order)
			if e := &s.evidence; e.end().IsZero() || e.Recent[len(e.Recent)-1].failure() == nil {
				continue
			}
			all = append(all, situation{name: order + " " + words, evidence: s.evidence.made(words)})
		}
	}
	return all
}

// inOrder is evidence of successes (+), failures (-) and successes after a failed attempt (~).
func inOrder(order string) situation {
	var runs [][]Digest
	for _, c := range order {
		switch c {
		case '+':
			runs = append(runs, n(1, worked(1)))
		case '-':
			runs = append(runs, n(1, resetBare))
		case '~':
			runs = append(runs, n(1, worked(1, func(o *Digest) { o.Failed = resetBare.Failure })))
		}
	}
	return situation{name: "in order " + order, evidence: after(runs...)}
}

// experimentSequences has experiments in each order, up to three.
func experimentSequences() (all []situation) {
	words := []string{"again-", "again+", "other_address+", "other_address-", "hello_tls12+", "hello_tls12-"}
	lists := []string{""}
	for range 3 {
		for _, list := range lists {
			if strings.Count(list, " ")+1 > 2 {
				continue
			}
			for _, word := range words {
				if next := strings.TrimSpace(list + " " + word); !slices.Contains(lists, next) {
					lists = append(lists, next)
				}
			}
		}
	}
	for _, list := range lists {
		all = append(all, situation{name: "experiments " + list, evidence: after(n(2, hello)).made(list)})
	}
	return all
}

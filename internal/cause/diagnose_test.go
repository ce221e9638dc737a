package cause

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/host"
	"errno_exporter/prober/result"
)

// brieflyPut is a verdict in a line: cause, party, confidence, what is ruled out, what is open.
func brieflyPut(v Verdict, ok bool) string {
	if !ok {
		return "none"
	}
	text := fmt.Sprintf("%s %s %s", v.Cause, v.Party, v.Confidence)
	var out []string
	for _, r := range v.RuledOut {
		out = append(out, string(r.Cause))
	}
	if slices.Sort(out); len(out) > 0 {
		text += "; not " + strings.Join(out, " ")
	}
	if len(v.Open) > 0 {
		text += fmt.Sprintf("; open %v", v.Open)
	}
	return text
}

var (
	healthy   = n(10, worked(20))
	resetBare = failed(result.Processing, result.TCPReset, result.Peer)
	resetLive = seen(resetBare, bySocket)
	closedFIN = failed(result.Processing, result.TCPClosed, result.Peer)
	hangs     = failed(result.Processing, result.HTTPResponseTimedOut, result.Self,
		func(o *Digest) { o.Delivered = true })
	dead       = failed(result.Processing, result.TCPAborted, result.Self)
	unanswered = failed(result.Connect, result.TCPTimedOut, result.Self)
	refused    = failed(result.Connect, result.TCPRefused, result.Peer)
	noUDP      = failed(result.Connect, result.QUICRefused, result.Peer)
	hello      = failed(result.TLS, result.TCPReset, result.Peer)
	shaking    = failed(result.TLS, result.TLSTimedOut, result.Self)
	sized      = host.Record{DescriptorLimit: 100, Descriptors: 100, Ports: 10, PortsUsed: 10}
	limited    = speaks(func(s *Said) { s.Limit = "the answer has X-Ratelimit-Remaining: 0" })
	gateway    = speaks(func(s *Said) { s.Gateway = "the answer is Varnish's own: its backend failed" })
	itself     = speaks(func(s *Said) { s.Itself = "the answer is Squid's own: proxy_internal_error" })
	ruled      = speaks(func(s *Said) { s.Refused = "the answer is Cloudflare's own: http_request_denied" })
	ofProxy    = speaks(func(s *Said) { s.Proxy = "the answer is the proxy's own, X-Squid-Error: ERR" })
	pausing    = speaks(func(s *Said) { s.Maintenance = `the answer says "maintenance"` })
	later      = speaks(func(s *Said) { s.RetryAfter = time.Hour })
	origin     = speaks(func(s *Said) { s.Origin = true })
)

type situation struct {
	name     string
	evidence Evidence
	want     string
}

// The table of situations: what is seen, and what may be said of it. Where Fails reports false nobody asks for a verdict.
func TestJudge(t *testing.T) {
	for _, row := range situations() {
		v, ok := Judge(&row.evidence)
		if got := brieflyPut(v, ok); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s\n%s", row.name, got, row.want, strings.Join(v.Evidence, "\n"))
		}
		if ok && !row.evidence.Fails() {
			t.Errorf("%s: Fails() = false, want true: there is a verdict", row.name)
		}
	}
}

func situations() []situation {
	return slices.Concat(quiet(), ours(), named(), proxies(), answers(), handshakes(), hellos(), changes(),
		idleOnes(), applications(), refusals(), silences(), ending(), mixed(), counted(), told(), networks(), earlier(),
		limitedMessages(), undelivered(), redirected())
}

// TestEveryEntryMatters drops each entry of the table in turn: some situation must be judged differently then.
func TestEveryEntryMatters(t *testing.T) {
	names := factNames(t)
	type read struct {
		s    *scene
		k    *known
		want string
	}
	var all []read
	for _, row := range situations() {
		if s, k := factsOf(&row.evidence); k != nil {
			all = append(all, read{s, k, brieflyPut(conclude(table, s, k))})
		}
	}
	matters := func(rows []row) bool {
		return slices.ContainsFunc(all, func(r read) bool { return brieflyPut(conclude(rows, r.s, r.k)) != r.want })
	}
	for i := range table {
		if rows := slices.Delete(slices.Clone(table), i, i+1); !matters(rows) {
			t.Errorf("nothing changes without row %d, %s, which requires %s", i, table[i].cause,
				names[table[i].requires[0]])
		}
		for kind, list := range map[string][]fact{"requires": table[i].requires, "supports": table[i].supports,
			"excludes": table[i].excludes} {
			for j, f := range list {
				rows, less := slices.Clone(table), slices.Delete(slices.Clone(list), j, j+1)
				switch kind {
				case "requires":
					rows[i].requires = less
				case "supports":
					rows[i].supports = less
				case "excludes":
					rows[i].excludes = less
				}
				if !matters(rows) {
					t.Errorf("nothing changes where row %d, %s, no longer %s %s", i, table[i].cause, kind, names[f])
				}
			}
		}
	}
}

// TestEveryCauseIsReached has each cause named by some situation, and a candidate of low confidence by none.
func TestEveryCauseIsReached(t *testing.T) {
	reached := map[Cause]bool{}
	for _, row := range situations() {
		v, ok := Judge(&row.evidence)
		if reached[v.Cause] = true; ok && (v.Confidence == Low) != (v.Cause == Unknown) {
			t.Errorf("%s: %s is named with confidence %s", row.name, v.Cause, v.Confidence)
		}
	}
	for _, row := range Causes {
		if !reached[row.Cause] {
			t.Errorf("no situation has the cause %s", row.Cause)
		}
	}
}

// TestHighNeedsEvidence has no cause sure by the failure's own words.
func TestHighNeedsEvidence(t *testing.T) {
	for i := range table {
		r := &table[i]
		sure := r.sure.raised(len(r.supports))
		own := func(f fact) bool { return f < endOfWords }
		if sure == High && !slices.ContainsFunc(slices.Concat(r.requires, r.supports),
			func(f fact) bool { return !own(f) }) || r.sure == High &&
			!slices.ContainsFunc(r.requires, func(f fact) bool { return !own(f) }) {
			t.Errorf("row %d, %s, is sure by the words of its failure", i, r.cause)
		}
	}
}

// TestCausesHaveWords has each cause once, with its words.
func TestCausesHaveWords(t *testing.T) {
	seen := map[Cause]bool{}
	for _, row := range Causes {
		if seen[row.Cause] || row.Party == "" || row.Sentence == "" || row.Advice == "" || row.Cause.Info() != row {
			t.Errorf("%+v: twice, or without words", row)
		}
		seen[row.Cause] = true
	}
}

func BenchmarkJudge(b *testing.B) {
	e := after(healthy, n(20, seen(resetLive, notPlain))).made("again- plain_request- tcp_only+")
	for b.Loop() {
		if v, ok := Judge(&e); !ok || v.Cause != ServerAborts {
			b.Fatal(v)
		}
	}
}

func BenchmarkThousandFailing(b *testing.B) {
	e := after(healthy, n(20, seen(resetLive, notPlain))).made("again- plain_request- tcp_only+")
	for b.Loop() {
		for range 1000 {
			Judge(&e)
		}
	}
}

var _ = result.Again

package prober_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// reaction is what a name server does with a question over UDP.
type reaction func(d *faultlab.DNSDatagram)

var (
	four, six = netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")

	answers   reaction = func(d *faultlab.DNSDatagram) { d.Answer(faultlab.DNSReply(d.Question, same, four, six)) }
	drops     reaction = func(*faultlab.DNSDatagram) {}
	hasNone   reaction = func(d *faultlab.DNSDatagram) { d.Answer(faultlab.DNSReply(d.Question, same)) }
	truncates reaction = func(d *faultlab.DNSDatagram) {
		d.Answer(faultlab.DNSReply(d.Question, func(m *dnsmessage.Message) { m.Truncated = true }))
	}
	fails reaction = func(d *faultlab.DNSDatagram) {
		d.Answer(faultlab.DNSReply(d.Question, func(m *dnsmessage.Message) { m.RCode = dnsmessage.RCodeServerFailure }))
	}
)

func answersAfter(wait time.Duration) reaction {
	return func(d *faultlab.DNSDatagram) { time.AfterFunc(wait, func() { answers(d) }) }
}

// inOneGo is two reactions that wait until both questions have arrived: the answers leave at the same time, however
// busy the machine is.
func inOneGo(a, aaaa reaction) func() (reaction, reaction) {
	return func() (reaction, reaction) {
		var first func() // reacts to the question that came first; nil before that
		met := false
		after := func(react reaction) reaction {
			return func(d *faultlab.DNSDatagram) {
				switch {
				case met:
					react(d)
				case first == nil:
					first = func() { react(d) }
				default:
					met = true
					first()
					react(d)
				}
			}
		}
		return after(a), after(aaaa)
	}
}

// pair is two reactions that know nothing of each other.
func pair(a, aaaa reaction) func() (reaction, reaction) {
	return func() (reaction, reaction) { return a, aaaa }
}

// byFamily is a name server that reacts to A and AAAA differently; it takes TCP connections and answers nothing on
// them.
func byFamily(t *testing.T, react func() (a, aaaa reaction)) string {
	t.Helper()
	a, aaaa := react()
	done := make(chan struct{})
	server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
		var q dnsmessage.Message
		if q.Unpack(d.Question) == nil && q.Questions[0].Type == dnsmessage.TypeA {
			a(d)
		} else {
			aaaa(d)
		}
	}, func([]byte) []byte { <-done; return nil })
	t.Cleanup(func() { close(done) })
	return server
}

// Each family has its own outcome. When one has addresses, the other is waited for no longer than the resolution delay
// (RFC 8305), nor than a small share of the time.
func TestFamilies(t *testing.T) {
	const delay = 50 * time.Millisecond
	prefers4, prefers6 := func(m *module.Module) { m.PreferIPv6 = false },
		func(m *module.Module) { m.PreferIPv6 = true }
	only6 := func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = true, false }
	only4 := func(m *module.Module) { m.PreferIPv6, m.IPProtocolFallback = false, false }
	within := func(timeout time.Duration, change func(*module.Module)) func(*module.Module) {
		return func(m *module.Module) { change(m); m.Timeout = timeout }
	}
	const second, soon = time.Second, 8 * time.Second // soon is before the patience of any resolver ends
	for _, row := range []struct {
		name             string
		react            func() (a, aaaa reaction)
		module           func(*module.Module)
		reason           result.Reason // of a failure in resolve
		dialled          netip.Addr
		families         string // + answered, - not, ~ given up
		atLeast, shorter time.Duration
	}{
		{"both answer", inOneGo(answers, answers), prefers4, "", four, "ip4+ ip6+", 0, soon},
		{"both answer, IPv6 preferred", inOneGo(answers, answers), prefers6, "", six, "ip4+ ip6+", 0, soon},
		{"AAAA is dropped", pair(answers, drops), prefers4, "", four, "ip4+ ip6~", delay, soon},
		{"AAAA is dropped, IPv6 preferred", pair(answers, drops), prefers6, "", four, "ip4+ ip6~", delay, soon},
		{"A is dropped", pair(drops, answers), prefers4, "", six, "ip4~ ip6+", delay, soon},
		{"A is dropped, IPv6 preferred", pair(drops, answers), prefers6, "", six, "ip4~ ip6+", delay, soon},
		{"A takes long, and AAAA for ever", pair(answersAfter(300*time.Millisecond), drops), prefers6, "", four,
			"ip4+ ip6~", 350 * time.Millisecond, soon},
		{"AAAA takes too long, IPv6 preferred", pair(answers, answersAfter(20*second)), prefers6, "", four, "ip4+ ip6~",
			delay, soon},
		{"AAAA over TCP, which is silent", pair(answers, truncates), prefers6, "", four, "ip4+ ip6~", delay, soon},
		{"A over TCP, which is silent", pair(truncates, answers), prefers4, "", six, "ip4~ ip6+", delay, soon},
		{"there is no AAAA", inOneGo(answers, hasNone), prefers6, "", four, "ip4+ ip6+", 0, soon},
		{"AAAA fails", inOneGo(answers, fails), prefers6, "", four, "ip4+ ip6-", 0, soon},
		{"there is no A: AAAA is waited for", pair(hasNone, answersAfter(200*time.Millisecond)), prefers4, "", six,
			"ip4+ ip6+", 200 * time.Millisecond, soon},
		{"there is no A, and AAAA is dropped", pair(hasNone, drops), within(400*time.Millisecond, prefers4),
			result.DNSTimedOut, netip.Addr{}, "ip4+ ip6-", 400 * time.Millisecond, soon},
		{"both are dropped", pair(drops, drops), within(400*time.Millisecond, prefers4), result.DNSTimedOut,
			netip.Addr{}, "ip4- ip6-", 400 * time.Millisecond, soon},
		{"IPv6 alone, AAAA is dropped", pair(answers, drops), within(400*time.Millisecond, only6), result.DNSTimedOut,
			netip.Addr{}, "ip6-", 400 * time.Millisecond, soon},
		{"IPv4 alone, AAAA is dropped", pair(answers, drops), only4, "", four, "ip4+", 0, soon},
	} {
		for _, client := range clients {
			t.Run(row.name+", "+client.name, func(t *testing.T) {
				t.Parallel()
				m := labModule()
				row.module(m)
				server := byFamily(t, row.react)
				options := prober.Options{Resolver: server}
				if client.protocol != "" {
					m.Resolver, options.Resolver = &module.Resolver{Servers: []string{server},
						Protocol: client.protocol}, faultlab.DNSClosedPort(t)
				}
				r := probe(t, prober.New(options), "http://api.lab.test.:1/", m)
				hop := r.Last().LastHop()
				var reason result.Reason
				if r.Failure != nil && r.Failure.Phase == result.Resolve {
					reason = r.Failure.Reason
				}
				if got := families(hop.Lookup); reason != row.reason || hop.Addr.Addr() != row.dialled ||
					got != row.families {
					t.Errorf("reason %q, dialled %v, families %q, want %q, %v, %q%s", reason, hop.Addr, got, row.reason,
						row.dialled, row.families, evidence(&r))
				}
				span, _ := hop.Span(result.Resolve)
				if span.Duration < row.atLeast-5*time.Millisecond || span.Duration >= row.shorter {
					t.Errorf("resolve took %s, want from %s to %s%s", span.Duration, row.atLeast, row.shorter,
						evidence(&r))
				}
			})
		}
	}
}

func families(l *result.Lookup) string {
	var words []string
	for _, f := range l.Families() {
		word := f.Name + "-"
		if f.Answered {
			word = f.Name + "+"
		}
		if f.GivenUp {
			word = f.Name + "~"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// A name server that drops questions for AAAA takes nothing from a slow server's time.
func TestDroppedFamilyAndSlowServer(t *testing.T) {
	api := faultlab.Slow(t, 500*time.Millisecond, 0, func(faultlab.Times) {})
	port := strings.Trim(api[strings.LastIndex(api, ":"):], "/")
	for _, client := range clients {
		for _, prefer6 := range []bool{false, true} {
			server := byFamily(t, pair(answers, drops))
			m := labModule()
			m.PreferIPv6, m.Timeout = prefer6, time.Second
			options := prober.Options{Resolver: server}
			if client.protocol != "" {
				m.Resolver, options.Resolver = &module.Resolver{Servers: []string{server}, Protocol: client.protocol},
					faultlab.DNSClosedPort(t)
			}
			if r := probe(t, prober.New(options), "http://api.lab.test."+port+"/", m); r.Failure != nil {
				t.Errorf("%s, IPv6 preferred %t: %+v, want a success%s", client.name, prefer6, r.Failure, evidence(&r))
			}
		}
	}
}

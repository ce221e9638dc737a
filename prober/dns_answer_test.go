package prober_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// What lookups are forged to lead to, and where they should lead.
var (
	forged  = netip.MustParseAddr("127.0.0.66")
	genuine = netip.MustParseAddr("127.0.0.1")
)

// lookedUp is what a test compares of a lookup.
type lookedUp struct {
	Reason   result.Reason // of a failure in resolve; empty where an address was dialled
	Dialled  string
	Networks string // of the questions
}

// lookUp resolves api.lab.test for IPv4 by one server; protocol "" asks it as the system's resolver.
func lookUp(t *testing.T, server, protocol string, timeout time.Duration) lookedUp {
	t.Helper()
	m := labModule()
	m.IPProtocolFallback, m.Timeout = false, timeout
	options := prober.Options{Resolver: server}
	if protocol != "" {
		m.Resolver, options.Resolver = &module.Resolver{Servers: []string{server}, Protocol: protocol},
			faultlab.DNSClosedPort(t)
	}
	r := probe(t, prober.New(options), "http://api.lab.test.:1/", m)
	hop := r.Last().LastHop()
	var got lookedUp
	if addr := hop.Addr.Addr(); addr.IsValid() {
		got.Dialled = addr.String()
	}
	if r.Failure != nil && r.Failure.Phase == result.Resolve {
		got.Reason = r.Failure.Reason
	}
	var networks []string
	for _, e := range hop.Lookup.Exchanges {
		if e.Question != "api.lab.test. A" {
			t.Errorf("asked %q, want api.lab.test. A", e.Question)
		}
		networks = append(networks, e.Network)
	}
	got.Networks = strings.Join(networks, " ")
	return got
}

// clients are the two ways to ask: the module's servers, and the system's resolver (Go's, watched).
var clients = []struct{ name, protocol string }{{"configured", "udp"}, {"system", ""}}

// forgeries are messages that do not answer the question, though they look it.
var forgeries = []struct {
	name   string
	change func(*dnsmessage.Message)
}{
	{"another ID", func(m *dnsmessage.Message) { m.ID++ }},
	{"no response", func(m *dnsmessage.Message) { m.Response = false }},
	{"another opcode", func(m *dnsmessage.Message) { m.OpCode = 2 }},
	{"another name", func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("other.lab.test.") }},
	{"a longer name", func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("x.api.lab.test.") }},
	{"another type", func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA }},
	{"another class", func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }},
	{"no question", func(m *dnsmessage.Message) { m.Questions = nil }},
	{"two questions", func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }},
}

func same(*dnsmessage.Message) {}

// What is not the answer to the question is ignored over UDP, and an error over TCP.
func TestForgedAnswers(t *testing.T) {
	// each goes through its servers twice
	overTCP := map[string]string{"configured": "tcp tcp", "system": "udp tcp udp tcp"}
	for _, client := range clients {
		for _, row := range forgeries {
			t.Run(client.name+", "+row.name, func(t *testing.T) {
				t.Parallel()
				server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
					d.Answer(faultlab.DNSReply(d.Question, row.change, forged))
					d.Answer(faultlab.DNSReply(d.Question, same, genuine))
				}, nil)
				if diff := cmp.Diff(lookedUp{"", genuine.String(), "udp"},
					lookUp(t, server, client.protocol, ample)); diff != "" {
					t.Errorf("over UDP (-want +got):\n%s", diff)
				}
				server = faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
					d.Answer(faultlab.DNSReply(d.Question, func(m *dnsmessage.Message) { m.Truncated = true }))
				}, func(question []byte) []byte { return faultlab.DNSReply(question, row.change, forged) })
				protocol := strings.Replace(client.protocol, "udp", "tcp", 1)
				if diff := cmp.Diff(lookedUp{result.DNSProtocol, "", overTCP[client.name]},
					lookUp(t, server, protocol, ample)); diff != "" {
					t.Errorf("over TCP (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Addresses that no host has are not dialled: Linux would connect to itself.
func TestAnswersThatAreNoHosts(t *testing.T) {
	for _, client := range clients {
		for _, row := range []struct {
			answers string
			want    lookedUp
		}{
			{"0.0.0.0", lookedUp{result.DNSProtocol, "", "udp"}},
			{"224.0.0.5", lookedUp{result.DNSProtocol, "", "udp"}},
			{"255.255.255.255 0.0.0.0", lookedUp{result.DNSProtocol, "", "udp"}},
			{"0.0.0.0 127.0.0.1", lookedUp{"", "127.0.0.1", "udp"}},
		} {
			var answers []netip.Addr
			for _, one := range strings.Fields(row.answers) {
				answers = append(answers, netip.MustParseAddr(one))
			}
			server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
				d.Answer(faultlab.DNSReply(d.Question, same, answers...))
			}, nil)
			if diff := cmp.Diff(row.want, lookUp(t, server, client.protocol, ample)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", client.name, row.answers, diff)
			}
		}
	}
}

// The socket is connected: what comes from another address or port does not arrive.
func TestForgedSender(t *testing.T) {
	for _, client := range clients {
		known := make(chan string, 1) // the server's own address, from when on it answers
		server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
			answer := faultlab.DNSReply(d.Question, same, forged)
			d.AnswerFrom("127.0.0.1:0", answer)
			server := <-known
			known <- server
			_, port, _ := net.SplitHostPort(server)
			d.AnswerFrom("127.0.0.67:"+port, answer)
			d.Answer(faultlab.DNSReply(d.Question, same, genuine))
		}, nil)
		known <- server
		if diff := cmp.Diff(lookedUp{"", genuine.String(), "udp"},
			lookUp(t, server, client.protocol, ample)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", client.name, diff)
		}
	}
}

// Every question has a port, an ID and, where the module has servers of its own, a letter case of its own.
func TestQuestionsAreUnpredictable(t *testing.T) {
	const lookups = 20
	for _, client := range clients {
		var mu sync.Mutex // guards what follows
		ports, ids, names := map[string]bool{}, map[uint16]bool{}, map[string]bool{}
		server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
			var q dnsmessage.Message
			if err := q.Unpack(d.Question); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ports[d.From.String()], ids[q.ID], names[q.Questions[0].Name.String()] = true, true, true
			d.Answer(faultlab.DNSReply(d.Question, same, genuine))
		}, nil)
		for range lookups {
			lookUp(t, server, client.protocol, ample)
		}
		mu.Lock()
		cased := map[string]bool{"configured": len(names) > lookups/2, "system": len(names) == 1}[client.name]
		if len(ports) < lookups/2 || len(ids) < lookups/2 || !cased {
			t.Errorf("%s: %d questions had %d ports, %d IDs and the names %v", client.name, lookups, len(ports),
				len(ids), names)
		}
		mu.Unlock()
	}
}

// Servers that do not repeat the letter case, and others who answer in their place.
func TestLetterCase(t *testing.T) {
	overTCP := func(question []byte) []byte { return faultlab.DNSReply(question, otherCase, genuine) }
	never := func([]byte) []byte { return nil }
	for _, row := range []struct {
		name             string
		packet           func(*faultlab.DNSDatagram)
		stream           func([]byte) []byte
		configured, want lookedUp // by the module's servers, by the system's resolver
	}{
		{"repeats it", func(d *faultlab.DNSDatagram) { d.Answer(faultlab.DNSReply(d.Question, same, genuine)) }, never,
			lookedUp{"", "127.0.0.1", "udp"}, lookedUp{"", "127.0.0.1", "udp"}},
		{"in other letters",
			func(d *faultlab.DNSDatagram) { d.Answer(faultlab.DNSReply(d.Question, otherCase, genuine)) }, overTCP,
			lookedUp{"", "127.0.0.1", "udp tcp"}, lookedUp{"", "127.0.0.1", "udp"}},
		{"in other letters, without TCP",
			func(d *faultlab.DNSDatagram) { d.Answer(faultlab.DNSReply(d.Question, otherCase, genuine)) }, never,
			lookedUp{"", "127.0.0.1", "udp tcp udp"}, lookedUp{"", "127.0.0.1", "udp"}},
		{"somebody else is first", func(d *faultlab.DNSDatagram) {
			d.Answer(faultlab.DNSReply(d.Question, otherCase, forged))
			d.Answer(faultlab.DNSReply(d.Question, same, genuine))
		}, overTCP, lookedUp{"", "127.0.0.1", "udp tcp"}, lookedUp{"", "127.0.0.66", "udp"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := faultlab.DNSRaw(t, row.packet, row.stream)
			if diff := cmp.Diff(row.configured, lookUp(t, server, "udp", ample)); diff != "" {
				t.Errorf("the module's servers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.want, lookUp(t, server, "", ample)); diff != "" {
				t.Errorf("the system's resolver (-want +got):\n%s", diff)
			}
		})
	}
}

// otherCase has the question in other letters than the one that was asked: in lower case it would be the same now and
// then.
func otherCase(m *dnsmessage.Message) {
	m.Questions = slices.Clone(m.Questions)
	swapped := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r ^ 0x20
		}
		return r
	}, m.Questions[0].Name.String())
	m.Questions[0].Name = dnsmessage.MustNewName(swapped)
}

// Two answers in other letters that differ are none.
func TestLetterCaseContradiction(t *testing.T) {
	last := byte(0)
	server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
		last++
		d.Answer(faultlab.DNSReply(d.Question, otherCase, netip.AddrFrom4([4]byte{127, 0, 0, last})))
	}, func([]byte) []byte { return nil })
	if diff := cmp.Diff(lookedUp{result.DNSProtocol, "", "udp tcp udp udp tcp udp"},
		lookUp(t, server, "udp", ample)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Only records of the name that was asked for, and of its aliases, are its addresses.
func TestOwnerNames(t *testing.T) {
	record := func(owner string, body dnsmessage.ResourceBody) dnsmessage.Resource {
		head := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(owner), Class: dnsmessage.ClassINET, TTL: 60}
		switch body.(type) {
		case *dnsmessage.AResource:
			head.Type = dnsmessage.TypeA
		case *dnsmessage.AAAAResource:
			head.Type = dnsmessage.TypeAAAA
		case *dnsmessage.CNAMEResource:
			head.Type = dnsmessage.TypeCNAME
		}
		return dnsmessage.Resource{Header: head, Body: body}
	}
	a := func(owner string, addr netip.Addr) dnsmessage.Resource {
		return record(owner, &dnsmessage.AResource{A: addr.As4()})
	}
	alias := func(owner, to string) dnsmessage.Resource {
		return record(owner, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(to)})
	}
	chaos := a("api.lab.test.", forged)
	chaos.Header.Class = dnsmessage.ClassCHAOS
	const name = "api.lab.test."
	once := map[string]string{"configured": "udp", "system": "udp"}
	// Go's resolver takes a circle for a name without addresses, and asks no other server.
	again := map[string]string{"configured": "udp udp", "system": "udp"}
	for _, row := range []struct {
		name     string
		answers  []dnsmessage.Resource
		want     lookedUp
		networks map[string]string // by client
	}{
		{"its own", []dnsmessage.Resource{a(name, genuine)}, lookedUp{"", "127.0.0.1", ""}, once},
		{"in other letters", []dnsmessage.Resource{a("API.Lab.TEST.", genuine)}, lookedUp{"", "127.0.0.1", ""}, once},
		{"of an alias", []dnsmessage.Resource{alias(name, "b.test."), a("b.test.", genuine)},
			lookedUp{"", "127.0.0.1", ""}, once},
		{"of an alias of an alias, the other way round",
			[]dnsmessage.Resource{a("c.test.", genuine), alias("B.test.", "C.test."), alias(name, "b.test.")},
			lookedUp{"", "127.0.0.1", ""}, once},
		{"another name's before it", []dnsmessage.Resource{a("other.test.", forged), a(name, genuine)},
			lookedUp{"", "127.0.0.1", ""}, once},
		{"another name's and its alias", []dnsmessage.Resource{alias("other.test.", "x.test."), a("x.test.", forged),
			alias(name, "b.test."), a("b.test.", genuine)}, lookedUp{"", "127.0.0.1", ""}, once},
		{"another name's alone", []dnsmessage.Resource{a("other.test.", forged)}, lookedUp{result.DNSNoData, "", ""},
			once},
		{"a parent's", []dnsmessage.Resource{a("lab.test.", forged)}, lookedUp{result.DNSNoData, "", ""}, once},
		{"another class's", []dnsmessage.Resource{chaos, a(name, genuine)}, lookedUp{"", "127.0.0.1", ""}, once},
		{"another type's", []dnsmessage.Resource{record(name,
			&dnsmessage.AAAAResource{AAAA: netip.IPv6Loopback().As16()}), a(name, genuine)},
			lookedUp{"", "127.0.0.1", ""}, once},
		{"of an alias to itself", []dnsmessage.Resource{alias(name, name)}, lookedUp{result.DNSProtocol, "", ""},
			again},
		{"of aliases in a circle", []dnsmessage.Resource{alias(name, "b.test."), alias("b.test.", name)},
			lookedUp{result.DNSProtocol, "", ""}, again},
	} {
		for _, client := range clients {
			t.Run(row.name+", "+client.name, func(t *testing.T) {
				t.Parallel()
				server := faultlab.DNSRaw(t, func(d *faultlab.DNSDatagram) {
					d.Answer(faultlab.DNSReply(d.Question, func(m *dnsmessage.Message) { m.Answers = row.answers }))
				}, nil)
				want := row.want
				want.Networks = row.networks[client.name]
				if diff := cmp.Diff(want, lookUp(t, server, client.protocol, ample)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

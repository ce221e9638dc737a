package prober_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A server that refuses EDNS(0) is asked again without. Go's resolver does not do that.
func TestWithoutEDNS(t *testing.T) {
	const patience = 10 * time.Second
	for _, row := range []struct {
		name     string
		serve    func(faultlab.Host) string
		protocol string
		want     lookedUp
	}{
		{"FORMERR", faultlab.DNSRefusesEDNS, "udp", lookedUp{Dialled: "127.0.0.1", Networks: "udp udp"}},
		{"FORMERR over TCP", faultlab.DNSRefusesEDNS, "tcp", lookedUp{Dialled: "127.0.0.1", Networks: "tcp tcp"}},
		{"a header alone", faultlab.DNSRefusesEDNSBarely, "udp", lookedUp{Dialled: "127.0.0.1", Networks: "udp udp"}},
		{"FORMERR to everything", func(h faultlab.Host) string {
			return faultlab.DNSCode(h, dnsmessage.RCodeFormatError)
		}, "udp", lookedUp{Reason: result.DNSProtocol, Networks: "udp udp udp udp"}}, // in two rounds
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := lookUp(t, row.serve(t), row.protocol, patience); got != row.want {
				t.Errorf("lookup = %+v, want %+v", got, row.want)
			}
		})
	}
}

// What name servers report of their errors is in the sentence by its registered name, and in the exchange with its
// text, cut.
func TestExtendedErrors(t *testing.T) {
	const reports = "; the name server reports "
	long := strings.Repeat("x", 500)
	for _, row := range []struct {
		name  string
		rcode dnsmessage.RCode
		text  string
		codes []uint16
		ends  string // of the sentence; empty if nothing is reported
		kept  string
	}{
		{"bogus", dnsmessage.RCodeServerFailure, "no SEP", []uint16{6}, "DNSSEC Bogus (extended DNS error 6)",
			"6 no SEP"},
		{"two", dnsmessage.RCodeServerFailure, "", []uint16{22, 23}, "No Reachable Authority (extended DNS error 22)",
			"22 , 23 "},
		{"code 0", dnsmessage.RCodeRefused, "", []uint16{0}, "Other Error (extended DNS error 0)", "0 "},
		{"not registered", dnsmessage.RCodeNameError, "", []uint16{4711}, "extended DNS error 4711", "4711 "},
		{"long", dnsmessage.RCodeServerFailure, long, []uint16{15}, "Blocked (extended DNS error 15)",
			"15 " + long[:117] + "…"},
		{"many", dnsmessage.RCodeServerFailure, "", []uint16{1, 2, 3, 4, 5, 6},
			"Unsupported DNSKEY Algorithm (extended DNS error 1)", "1 , 2 , 3 , 4 "},
		{"none", dnsmessage.RCodeServerFailure, "", nil, "", ""},
		{"stale, and an answer", dnsmessage.RCodeSuccess, "", []uint16{3}, "", "3 "},
	} {
		for _, resolver := range []string{"configured", "system"} {
			t.Run(row.name+", "+resolver, func(t *testing.T) {
				server := faultlab.DNSExtended(t, row.rcode, row.text, row.codes...)
				m := labModule()
				m.IPProtocolFallback = false
				options := prober.Options{Resolver: server}
				if resolver == "configured" {
					m.Resolver, options.Resolver = &module.Resolver{Servers: []string{server}, Protocol: "udp"},
						faultlab.DNSClosedPort(t)
				}
				r := probe(t, prober.New(options), "http://api.lab.test.:1/", m)
				_, ends, _ := strings.Cut(r.Failure.Sentence(), reports)
				if ends != row.ends {
					t.Errorf("sentence %q, want an end of %q", r.Failure.Sentence(), row.ends)
				}
				var kept []string
				for _, e := range r.Last().LastHop().Lookup.Exchanges[0].Extended {
					kept = append(kept, fmt.Sprintf("%d %s", e.Code, e.Text))
				}
				if got := strings.Join(kept, ", "); got != row.kept {
					t.Errorf("kept %q, want %q", got, row.kept)
				}
			})
		}
	}
}

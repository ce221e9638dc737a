package faultlab_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/internal/faultlab"
)

// question is a query for api.lab.test with ID 7; size is what EDNS says a datagram may hold, 0 for no EDNS.
func question(t *testing.T, kind dnsmessage.Type, size int) []byte {
	t.Helper()
	q := dnsmessage.Message{
		Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName("api.lab.test."), Type: kind, Class: dnsmessage.ClassINET,
		}},
	}
	if size > 0 {
		var head dnsmessage.ResourceHeader
		if err := head.SetEDNS0(size, dnsmessage.RCodeSuccess, false); err != nil {
			t.Fatal(err)
		}
		q.Additionals = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.OPTResource{}}}
	}
	bytes, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// askDNS asks a resolver and describes its answer.
func askDNS(t *testing.T, network, server string, query []byte, within time.Duration) string {
	t.Helper()
	conn, err := net.Dial(network, server)
	if err != nil {
		return end(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	answer, err := exchange(conn, network, query)
	if err != nil {
		return end(err)
	}
	var m dnsmessage.Message
	if m.Unpack(answer) != nil {
		return fmt.Sprintf("garbage %q", answer)
	}
	return fmt.Sprintf("id %d %s tc %t ra %t: %d answers, %d authorities", m.ID, m.RCode, m.Truncated,
		m.RecursionAvailable, len(m.Answers), len(m.Authorities))
}

func exchange(conn net.Conn, network string, query []byte) ([]byte, error) {
	if network == "udp" {
		if _, err := conn.Write(query); err != nil {
			return nil, err
		}
		answer := make([]byte, 64<<10)
		n, err := conn.Read(answer)
		return answer[:n], err
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, answer)
	return answer, err
}

func TestDNS(t *testing.T) {
	code := func(name string) string { return "id 7 RCode" + name + " tc false ra true: 0 answers, 0 authorities" }
	const (
		one   = "id 7 RCodeSuccess tc false ra true: 1 answers, 0 authorities"
		cut   = "id 7 RCodeSuccess tc true ra true: 0 answers, 0 authorities"
		lame  = "id 7 RCodeSuccess tc false ra false: 0 answers, 1 authorities"
		wrong = "id 8 RCodeSuccess tc false ra true: 1 answers, 0 authorities"
		noise = `garbage "hello"`
	)
	empty := code("Success")
	for _, row := range []struct {
		name           string
		serve          server
		a, aaaa, byTCP string // the answers to A and AAAA over UDP, and to A over TCP
	}{
		{"healthy", with(faultlab.DNS, map[string][]netip.Addr{"api.lab.test": {netip.MustParseAddr("127.0.0.1")}}),
			one, empty, one},
		{"healthy, other name", with(faultlab.DNS, map[string][]netip.Addr{}), code("NameError"), code("NameError"),
			code("NameError")},
		{"SERVFAIL", with(faultlab.DNSCode, dnsmessage.RCodeServerFailure), code("ServerFailure"),
			code("ServerFailure"), code("ServerFailure")},
		{"NOERROR, empty", with(faultlab.DNSCode, dnsmessage.RCodeSuccess), empty, empty, empty},
		{"DNSLame", faultlab.DNSLame, lame, lame, lame},
		{"DNSSilent", faultlab.DNSSilent, silence, silence, silence},
		{"DNSWrongID", faultlab.DNSWrongID, wrong, "id 8 RCodeSuccess tc false ra true: 0 answers, 0 authorities",
			wrong},
		{"DNSGarbage", faultlab.DNSGarbage, noise, noise, noise},
		{"DNSClosedPort", faultlab.DNSClosedPort, refused, refused, refused},
		{"DNSTruncatedThenEOF", faultlab.DNSTruncatedThenEOF, cut, cut, closed},
		{"DNSTruncated", faultlab.DNSTruncated, cut, cut, one},
		{"DNSSilentAAAA", faultlab.DNSSilentAAAA, one, silence, one},
		{"DNSServfailAAAA", faultlab.DNSServfailAAAA, one, code("ServerFailure"), one},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := row.serve(t)
			want := []string{row.a, row.aaaa, row.byTCP}
			got := []string{
				askDNS(t, "udp", server, question(t, dnsmessage.TypeA, 0), wait(row.a)),
				askDNS(t, "udp", server, question(t, dnsmessage.TypeAAAA, 0), wait(row.aaaa)),
				askDNS(t, "tcp", server, question(t, dnsmessage.TypeA, 0), wait(row.byTCP)),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("askDNS(%s) (-want +got):\n%s", server, diff)
			}
		})
	}
}

// TestDNSManyAddresses: an answer that a datagram does not hold is cut, unless EDNS says that it holds it; TCP has it
// all.
func TestDNSManyAddresses(t *testing.T) {
	var many []netip.Addr
	for address := netip.MustParseAddr("127.0.1.1"); len(many) < 50; address = address.Next() {
		many = append(many, address)
	}
	server := faultlab.DNS(t, map[string][]netip.Addr{"api.lab.test": many})
	const all = "id 7 RCodeSuccess tc false ra true: 50 answers, 0 authorities"
	for _, row := range []struct {
		name, network string
		edns          int
		want          string
	}{
		{"UDP", "udp", 0, "id 7 RCodeSuccess tc true ra true: 0 answers, 0 authorities"},
		{"UDP with EDNS", "udp", 1232, all},
		{"TCP", "tcp", 0, all},
	} {
		if got := askDNS(t, row.network, server, question(t, dnsmessage.TypeA, row.edns), ample); got != row.want {
			t.Errorf("%s: askDNS = %q, want %q", row.name, got, row.want)
		}
	}
}

package dns

import (
	"net"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/prober/result"
)

// answersTo is what a well-behaved server answers to a question, and some that it would not.
func answersTo(f *testing.F, query []byte) [][]byte {
	f.Helper()
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil {
		f.Fatal(err)
	}
	head := dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET,
		TTL: 1<<32 - 1}
	good := q
	good.Response = true
	good.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}
	packed, err := good.Pack()
	if err != nil {
		f.Fatal(err)
	}
	truncated := append([]byte(nil), packed...)
	truncated[2] |= 0x02
	many := append([]byte(nil), packed...)
	many[6], many[7] = 0xff, 0xff // answers that are not there
	loop := append(append([]byte(nil), packed[:12]...), 0xc0, 12, 0, 1, 0, 1)
	return [][]byte{packed, truncated, many, loop, packed[:12], packed[:len(packed)-3], {}, {0}}
}

// What a name server sends is read or refused, by both readers, whatever it is.
func FuzzDNSAnswer(f *testing.F) {
	query, err := newQuestion("api.example.com", dnsmessage.TypeA)
	if err != nil {
		f.Fatal(err)
	}
	query.id = 7 // so that what the fuzzer keeps stays an answer
	if err := query.pack(); err != nil {
		f.Fatal(err)
	}
	for _, seed := range answersTo(f, query.packed) {
		f.Add(seed, false)
		f.Add(append([]byte{byte(len(seed) >> 8), byte(len(seed))}, seed...), true)
	}
	f.Fuzz(func(t *testing.T, answer []byte, stream bool) {
		if m, err := query.parse(answer); err == nil {
			if _, _, err := addressesOf(m, "api.example.com"); err == nil && leastTTL(m) < result.NoTTL {
				t.Errorf("the TTL of %q is negative", answer)
			}
		}
		l := (&Query{Host: "api.example.com", Network: "ip", Start: time.Now()}).newLookup(t.Context())
		near, far := net.Pipe()
		defer near.Close()
		watched := &recorder{Conn: near, lookup: l, network: map[bool]string{false: "udp", true: "tcp"}[stream],
			asked: query, exchange: l.add(result.DNSExchange{RCode: result.NoRCode, TTL: result.NoTTL})}
		go func() {
			_, _ = far.Write(answer) // until the reader has enough
			_ = far.Close()
		}()
		buffer := make([]byte, 1<<16)
		for {
			if _, err := watched.Read(buffer); err != nil {
				break
			}
		}
		e := l.end().Exchanges[0]
		if e.RCode < result.NoRCode || e.RCode > 15 || e.TTL < result.NoTTL || e.Answers < 0 {
			t.Errorf("%q gave %+v", answer, e)
		}
	})
}

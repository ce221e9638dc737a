package faultlab

import (
	"encoding/binary"
	"net"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolvers that speak EDNS(0) (RFC 6891) in ways of their own. Each returns the resolver's host:port.

func hasOPT(q *dnsmessage.Message) bool {
	return slices.ContainsFunc(q.Additionals, func(r dnsmessage.Resource) bool {
		return r.Header.Type == dnsmessage.TypeOPT
	})
}

// DNSRefusesEDNS answers FORMERR to questions with an OPT record, and the others with 127.0.0.1.
func DNSRefusesEDNS(h Host) string {
	h.Helper()
	return serveDNS(h, func(q *dnsmessage.Message) *dnsmessage.Message {
		if hasOPT(q) {
			return dnsReply(q, dnsmessage.RCodeFormatError)
		}
		return dnsReply(q, dnsmessage.RCodeSuccess, labAddress)
	})
}

// DNSRefusesEDNSBarely is DNSRefusesEDNS whose FORMERR is a header alone, over UDP; TCP connections are closed.
func DNSRefusesEDNSBarely(h Host) string {
	h.Helper()
	return serveDNSBy(h, func(question []byte) []byte {
		q := parseQuestion(question)
		switch {
		case q == nil:
			return nil
		case hasOPT(q):
			return pack(&dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true,
				RCode: dnsmessage.RCodeFormatError}})
		}
		return pack(dnsReply(q, dnsmessage.RCodeSuccess, labAddress))
	}, func(conn *net.TCPConn) { fin(conn) })
}

// DNSExtended answers every question with a RCODE, 127.0.0.1 if it is NOERROR, and an Extended DNS Error (RFC 8914)
// with a text for each code, if the question has an OPT record.
func DNSExtended(h Host, code dnsmessage.RCode, text string, codes ...uint16) string {
	h.Helper()
	return serveDNS(h, func(q *dnsmessage.Message) *dnsmessage.Message {
		a := dnsReply(q, code)
		if code == dnsmessage.RCodeSuccess {
			a = dnsReply(q, code, labAddress)
		}
		if !hasOPT(q) {
			return a
		}
		body := &dnsmessage.OPTResource{}
		for _, c := range codes {
			body.Options = append(body.Options, dnsmessage.Option{Code: 15,
				Data: append(binary.BigEndian.AppendUint16(nil, c), text...)})
		}
		opt := dnsmessage.Resource{Body: body}
		if err := opt.Header.SetEDNS0(1232, dnsmessage.RCodeSuccess, false); err != nil {
			panic(err) // our own answer is wrong
		}
		a.Additionals = []dnsmessage.Resource{opt}
		return a
	})
}

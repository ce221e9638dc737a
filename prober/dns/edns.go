package dns

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/prober/result"
)

const (
	// payloadSize is the longest datagram that is accepted: less than the 1,400 bytes of RFC 9715 section 3.2, and
	// within an IPv6 packet of the smallest MTU (its appendix A). Go's resolver has the same.
	payloadSize = 1232

	extendedOption = 15  // RFC 8914 section 2
	maxExtended    = 4   // kept of an answer
	maxExtraText   = 120 // bytes of one's text
)

// opt is the record that says that EDNS(0) is spoken (RFC 6891 section 6.1).
func opt() dnsmessage.Resource {
	r := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
	_ = r.Header.SetEDNS0(payloadSize, dnsmessage.RCodeSuccess, false) // fails for no RCODE
	return r
}

// refusesEDNS reports whether an answer refuses a question for its OPT record: FORMERR, also of a header alone, and of
// servers that know no OPT (RFC 6891 section 7).
func (q *question) refusesEDNS(message []byte) bool {
	const response, headerSize = 0x80, 12
	return q.edns && len(message) >= headerSize && binary.BigEndian.Uint16(message) == q.id &&
		message[2]&response != 0 && message[3]&0xf == byte(dnsmessage.RCodeFormatError)
}

// withoutEDNS is the same question for a server that does not speak EDNS(0).
func (q *question) withoutEDNS() (*question, error) {
	plain := &question{id: q.id, asks: q.asks}
	return plain, plain.pack()
}

// extendedErrors are the Extended DNS Errors of an answer (RFC 8914).
func extendedErrors(m *dnsmessage.Message) []result.ExtendedError {
	var found []result.ExtendedError
	for i := range m.Additionals {
		opt, ok := m.Additionals[i].Body.(*dnsmessage.OPTResource)
		if !ok {
			continue
		}
		for _, option := range opt.Options {
			if option.Code != extendedOption || len(option.Data) < 2 || len(found) == maxExtended {
				continue
			}
			text := strings.ToValidUTF8(string(option.Data[2:]), "")
			found = append(found, result.ExtendedError{Code: binary.BigEndian.Uint16(option.Data),
				Text: result.Cut(text, maxExtraText)})
		}
	}
	return found
}

package dns

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/prober/classify"
)

// question is one question as it is sent.
type question struct {
	id     uint16
	asks   dnsmessage.Question
	edns   bool // with an OPT record
	packed []byte
}

// newQuestion asks for a name as it is: no search list.
func newQuestion(host string, kind dnsmessage.Type) (*question, error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(host, ".") + ".")
	if err != nil {
		return nil, err
	}
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails
	q := &question{id: binary.BigEndian.Uint16(id[:]), edns: true,
		asks: dnsmessage.Question{Name: name, Type: kind, Class: dnsmessage.ClassINET}}
	return q, q.pack()
}

func (q *question) pack() error {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q.asks}}
	if q.edns {
		m.Additionals = []dnsmessage.Resource{opt()}
	}
	var err error
	q.packed, err = m.Pack()
	return err
}

// randomized is the same question with a new ID, and with the letters of its name in upper and lower case at random. A
// server repeats them as they are (RFC 1035 section 4.1.1; draft-vixie-dnsext-dns0x20): what somebody else sends has to
// have guessed them, one bit a letter.
func (q *question) randomized() (*question, error) {
	var random [2 + 255]byte // names have at most 255 bytes
	_, _ = rand.Read(random[:])
	another := &question{id: binary.BigEndian.Uint16(random[:2]), asks: q.asks, edns: q.edns}
	name := &another.asks.Name
	for i, b := range name.Data[:name.Length] {
		if 'a' <= b|0x20 && b|0x20 <= 'z' {
			name.Data[i] = b ^ random[2+i]&0x20
		}
	}
	return another, another.pack()
}

// String names the question, such as "api.example.com. AAAA".
func (q *question) String() string {
	return strings.ToLower(q.asks.Name.String()) + " " + q.asks.Type.String()[len("Type"):]
}

// readQuestion is the question of a query that other code packed; nil if it has none.
func readQuestion(message []byte) *question {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return nil
	}
	asks, err := parser.Question()
	if err != nil {
		return nil
	}
	return &question{id: header.ID, asks: asks, packed: message}
}

// isAnsweredBy reports whether a message answers the question. Case does not distinguish names (RFC 4343).
func (q *question) isAnsweredBy(message []byte) bool {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil || !header.Response || header.OpCode != 0 || header.ID != q.id {
		return false
	}
	asked, err := parser.Question()
	if err != nil || parser.SkipQuestion() == nil { // exactly one
		return false
	}
	return asked.Type == q.asks.Type && asked.Class == q.asks.Class && equalNames(asked.Name, q.asks.Name)
}

// repeatedBy reports whether an answer has the question's name in the very letters.
func (q *question) repeatedBy(m *dnsmessage.Message) bool {
	return len(m.Questions) == 1 && m.Questions[0].Name == q.asks.Name
}

func equalNames(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }

// errAnotherQuestion and errMalformed say that an answer over a stream is none.
var (
	errAnotherQuestion error = classify.UnusableAnswer("the resolver's answer is to another question")
	errMalformed       error = classify.UnusableAnswer("the resolver's answer is malformed")
)

// errLoop says that an answer's CNAME records lead back to where they came from.
var errLoop error = classify.UnusableAnswer("the answer's CNAME records are a loop")

// onlyRelated removes address records of other names than the one that was asked for from an answer. It reports whether
// it removed any.
func (q *question) onlyRelated(m *dnsmessage.Message) (removed bool, _ error) {
	aliases := map[string]string{}
	for _, r := range m.Answers {
		if alias, ok := r.Body.(*dnsmessage.CNAMEResource); ok && r.Header.Class == dnsmessage.ClassINET {
			aliases[strings.ToLower(r.Header.Name.String())] = strings.ToLower(alias.CNAME.String())
		}
	}
	chain := map[string]bool{}
	name, more := strings.ToLower(q.asks.Name.String()), true
	for more && !chain[name] {
		chain[name] = true
		name, more = aliases[name]
	}
	var kept []dnsmessage.Resource
	for _, r := range m.Answers {
		isAddress := r.Header.Type == dnsmessage.TypeA || r.Header.Type == dnsmessage.TypeAAAA
		if isAddress && (r.Header.Type != q.asks.Type || r.Header.Class != dnsmessage.ClassINET ||
			!chain[strings.ToLower(r.Header.Name.String())]) {
			removed = true
			continue
		}
		kept = append(kept, r)
	}
	m.Answers = kept
	if more && !hasAddress(m) {
		return removed, errLoop
	}
	return removed, nil
}

// parse reads an answer over a stream, or a datagram that isAnsweredBy has accepted.
func (q *question) parse(answer []byte) (*dnsmessage.Message, error) {
	if !q.isAnsweredBy(answer) && !q.refusesEDNS(answer) {
		return nil, errAnotherQuestion
	}
	m := new(dnsmessage.Message)
	if err := m.Unpack(answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	_, err := q.onlyRelated(m)
	return m, err
}

// nothing is an answer to the question that has no records: what Go's resolver is given for a family that is not waited
// for any longer.
func (q *question) nothing() []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.id, Response: true, RecursionDesired: true,
		RecursionAvailable: true}, Questions: []dnsmessage.Question{q.asks}}
	packed, _ := m.Pack() // the question was packed before
	return packed
}

// letterCase says that an answer over UDP has the question's name in other letters: the server does not repeat them, or
// it is not the server's.
type letterCase struct{ answer *dnsmessage.Message }

func (*letterCase) Error() string {
	return "the answer does not repeat the letter case of the question, and asking again did not confirm it"
}

func (*letterCase) Unwrap() error { return classify.UnusableAnswer("other letters") }

// sameAnswer reports whether two answers say the same: the code, and the addresses in any order.
func sameAnswer(a, b *dnsmessage.Message) bool {
	if a.RCode != b.RCode || a.Truncated || b.Truncated {
		return false
	}
	counts := map[string]int{}
	for _, r := range a.Answers {
		counts[r.Body.GoString()]++
	}
	for _, r := range b.Answers {
		counts[r.Body.GoString()]--
	}
	for _, n := range counts {
		if n != 0 {
			return false
		}
	}
	return true
}

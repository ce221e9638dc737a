package result

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"errno_exporter/internal/claims"
)

func TestCut(t *testing.T) {
	for _, row := range []struct {
		text string
		most int
		want string
	}{
		{"", 8, ""},
		{"12345678", 8, "12345678"},
		{"123456789", 8, "12345…"},
		{"1234äöü", 8, "1234…"},
		{"123äöü7", 8, "123ä…"},
	} {
		if got := Cut(row.text, row.most); got != row.want || len(got) > row.most || !utf8.ValidString(got) {
			t.Errorf("cut(%q, %d) = %q, want %q", row.text, row.most, got, row.want)
		}
	}
}

// Heads: what is kept of them, and how many fields are not.
func TestCutHeader(t *testing.T) {
	many := http.Header{"Retry-After": {"7"}, "Location": {"/" + strings.Repeat("l", 5<<10)}}
	for i := range 998 {
		many[fmt.Sprintf("A-%03d", i)] = []string{"x"}
	}
	long := http.Header{"Aaa": {strings.Repeat("x", 900<<10)}, "Keep-Alive": {"timeout=5"}}
	repeated := http.Header{"Set-Cookie": make([]string, 1000), "Zzz": {"z"}}
	for _, row := range []struct {
		name            string
		header          http.Header
		room            int
		fields, omitted int
		most            int // bytes
		first           string
	}{
		{"a short one is kept as it is", http.Header{"A": {"b"}, "C": {"d", "e"}}, MaxHeads, 3, 0, 6, ""},
		{"1,000 fields", many, MaxHeads, 100, 900, MaxHead, "7"},
		{"a field of 900 KB", long, MaxHeads, 2, 0, MaxText + 30, ""},
		{"1,000 empty fields of one name", repeated, MaxHeads, 100, 901, MaxHead, ""},
		{"little room", many, 50, 7, 993, 50, "7"},
		{"no room", many, 0, 0, 1000, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			room := row.room
			kept, omitted := cutHeader(row.header, &room)
			bytes, fields := HeadBytes(kept)
			if fields != row.fields || omitted != row.omitted || bytes > row.most || room != row.room-bytes ||
				kept.Get("Retry-After") != row.first {
				t.Errorf("%d fields of %d bytes, %d omitted, %d of room left of %d, Retry-After %q; want %d fields "+
					"of at most %d bytes, %d omitted, %q",
					fields, bytes, omitted, room, row.room, kept.Get("Retry-After"), row.fields, row.most, row.omitted,
					row.first)
			}
		})
	}
	claims.Prove(t, "what is kept of each text", MaxText)
	claims.Prove(t, "what is kept of a head", MaxFields, MaxHead, MaxHeads)
}

// Certificates that cost much are kept as far as they are shown: the fingerprint and the dates are those of the whole
// chain.
func TestCutChain(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	crowded := func(names int) *x509.Certificate {
		c := &x509.Certificate{Raw: make([]byte, names*25), SerialNumber: big.NewInt(1),
			Subject: pkix.Name{CommonName: strings.Repeat("s", 5000)}, NotAfter: day(9)}
		for i := range names {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("host-%d.many.lab.test", i))
		}
		return c
	}
	small := func(n int) *x509.Certificate { return &x509.Certificate{Raw: make([]byte, 100), NotAfter: day(n)} }
	long := []*x509.Certificate{small(20)}
	for range 1000 {
		long = append(long, small(15))
	}
	long[700] = small(3)
	for _, row := range []struct {
		name          string
		chain         []*x509.Certificate
		certificates  int
		names         int
		soonest, last time.Time
	}{
		{"an ordinary one", []*x509.Certificate{crowded(3), small(12)}, 2, 3, day(9), day(9)},
		{"5,000 names", []*x509.Certificate{crowded(5000), small(12)}, 2, 78, day(9), day(9)},
		{"1,001 certificates", long, 17, 0, day(3), day(3)},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &TLSState{Chain: row.chain, VerifiedChains: [][]*x509.Certificate{row.chain}, Complete: true}
			before := s.Fingerprint()
			s.cut()
			soonest := s.Chain[0].NotAfter
			for _, c := range s.Chain {
				if c.NotAfter.Before(soonest) {
					soonest = c.NotAfter
				}
			}
			last := lastingChain(s.VerifiedChains)[0][0].NotAfter
			if s.Fingerprint() != before || len(s.Chain) != row.certificates || len(s.Chain[0].DNSNames) != row.names ||
				soonest != row.soonest || last != row.last {
				t.Errorf("%d certificates, %d names, soonest %s, last %s; want %d, %d, %s, %s", len(s.Chain),
					len(s.Chain[0].DNSNames), soonest, last,
					row.certificates, row.names, row.soonest, row.last)
			}
			if cost := ChainCost(s.Chain); cost > 2*MaxChain {
				t.Errorf("the chain still costs %d bytes", cost)
			}
			twice := len(s.Chain)
			if s.cut(); len(s.Chain) != twice || s.Fingerprint() != before {
				t.Errorf("cutting again changes it: %d certificates, want %d", len(s.Chain), twice)
			}
		})
	}
	claims.Prove(t, "what is kept of a chain", MaxChain, maxCerts+1)
}

// An error is kept as its text, and holds on to nothing else but what the program asks for.
func TestStoredErrors(t *testing.T) {
	denied := &DeniedError{Addr: netip.MustParseAddr("169.254.169.254"),
		Network: netip.MustParsePrefix("169.254.0.0/16")}
	a := Attempt{Hops: []Hop{{}}, Failure: &Failure{Err: fmt.Errorf("get: %w", denied)}}
	a.Cut()
	if got, ok := errors.AsType[*DeniedError](a.Failure.Err); !ok || got != denied {
		t.Errorf("a denied address is lost: %v", a.Failure.Err)
	}
	graph := &http.Response{Status: strings.Repeat("x", 1<<20)}
	freed := make(chan struct{})
	runtime.AddCleanup(graph, func(done chan struct{}) { close(done) }, freed)
	a.Failure.Err = holding{graph}
	a.Cut()
	brief := a.Failure.Brief()
	runtime.GC()
	select {
	case <-freed:
	case <-time.After(10 * time.Second):
		t.Error("the response that the error held is still there")
	}
	if text := a.Failure.Err.Error(); len(text) > MaxText || !strings.HasPrefix(text, "xxx") {
		t.Errorf("the error is %d bytes, want at most %d", len(text), MaxText)
	}
	if text := brief.Err.Error(); len(text) > maxBrief || !strings.HasPrefix(text, "xxx") {
		t.Errorf("the brief error is %d bytes, want at most %d", len(text), maxBrief)
	}
}

// holding is an error that holds on to a response.
type holding struct{ response *http.Response }

func (h holding) Error() string { return h.response.Status }

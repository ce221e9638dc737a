package result

import "testing"

// A family of which a name server said that it failed is not given up, though the question was repeated and was not
// waited for.
func TestFamilyGivenUp(t *testing.T) {
	asked := func(kind string, rcode int, givenUp bool) DNSExchange {
		return DNSExchange{Question: "a.test. " + kind, RCode: rcode, GivenUp: givenUp}
	}
	for _, row := range []struct {
		name      string
		exchanges []DNSExchange
		want      bool
	}{
		{"silent", []DNSExchange{asked("A", 0, false), asked("AAAA", -1, true)}, true},
		{"truncated, and silent over TCP", []DNSExchange{asked("A", 0, false), asked("AAAA", 0, false),
			asked("AAAA", -1, true)}, true},
		{"failed, and silent when repeated", []DNSExchange{asked("A", 0, false), asked("AAAA", 2, false),
			asked("AAAA", -1, true)}, false},
		{"failed twice", []DNSExchange{asked("AAAA", 2, false), asked("A", 0, false), asked("AAAA", 2, false)}, false},
	} {
		families := (&Lookup{Exchanges: row.exchanges}).Families()
		if len(families) != 2 || families[0].GivenUp || families[1].GivenUp != row.want {
			t.Errorf("%s: %+v, want given up %t", row.name, families, row.want)
		}
	}
}

package result

import (
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Families are the families that were asked for of the name that decided, IPv4 first; empty without a query.
func (l *Lookup) Families() []Family {
	if l == nil || len(l.Exchanges) == 0 {
		return nil
	}
	var families []Family
	decided := AskedName(&l.Exchanges[len(l.Exchanges)-1])
	for _, f := range []struct{ name, kind string }{{"ip4", " A"}, {"ip6", " AAAA"}} {
		family, began := Family{Name: f.name}, time.Duration(-1)
		failed := false // a name server said so; the same question was repeated
		for i := range l.Exchanges {
			e := &l.Exchanges[i]
			if AskedName(e) != decided || !strings.HasSuffix(e.Question, f.kind) {
				continue
			}
			if began < 0 {
				began = e.Start
			}
			family.Answered = e.Err == nil && (e.RCode == int(dnsmessage.RCodeSuccess) ||
				e.RCode == int(dnsmessage.RCodeNameError))
			failed = failed || e.RCode > 0 && e.RCode != int(dnsmessage.RCodeNameError)
			family.GivenUp, family.Duration = e.GivenUp && !failed, e.Start+e.Duration-began
		}
		if began >= 0 {
			families = append(families, family)
		}
	}
	return families
}

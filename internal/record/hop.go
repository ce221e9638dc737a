package record

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The width in columns of an attempt's time, at most and at least, and of what is beside it.
const (
	barWidth    = 40
	minBarWidth = 10
	besideBar   = 4 + 10 + 1 + 10 + 1 + 10 + 2 + 2 + len("  FAILED here")
)

// hop is one exchange: its steps, the name, the socket, TLS, and both heads. whole is the attempt's time.
func (p *page) hop(h *result.Hop, whole time.Duration, now time.Time, m *module.Module) {
	p.steps(h, whole)
	p.name(h)
	if h.Wire != nil {
		p.wire(h.Wire)
	}
	if h.TLS != nil {
		p.tls(h.TLS, now)
	}
	if h.Request != nil {
		p.request(h.Request, m)
	}
	if h.Response != nil {
		p.response(h.Response, m)
	}
	if u := h.Upstream; u != nil {
		p.section("  Upstream failure: %s, stated by %s", u.Reason, u.By)
	}
}

// steps are the phases that began, with when, how long, and a bar that shows both.
func (p *page) steps(h *result.Hop, whole time.Duration) {
	p.section("  Steps           start       took")
	for _, s := range h.Spans {
		line := fmt.Sprintf("    %-10s %10s %10s", s.Phase, Short(s.Start), Short(s.Duration))
		if columns := min(p.width-besideBar, barWidth); columns >= minBarWidth {
			line += "  " + Bar(s, whole, columns)
		}
		if s.Failed {
			line += "  FAILED here"
		}
		p.line("%s", line)
	}
	if h.Waited > 0 {
		p.line("    waited %s for a handshake slot, which counts in no step", Short(h.Waited))
	}
}

// leastRest is the least time that is worth a line of its own.
const leastRest = time.Millisecond

// Rest says where the time of an attempt went that is in none of its phases; empty if that is less than a millisecond
// or a twentieth of the attempt.
func Rest(a *result.Attempt) string {
	rest, waited := a.Elapsed, time.Duration(0)
	for i := range a.Hops {
		waited += a.Hops[i].Waited
		for _, s := range a.Hops[i].Spans {
			rest -= s.Duration
		}
	}
	if rest < leastRest || rest < a.Elapsed/20 {
		return ""
	}
	text := fmt.Sprintf("  %-10s %10s  in no "+
		"phase: this host's own work, and tokens or revocation lists if it fetched any", "(rest)", Short(rest))
	if waited > 0 {
		text += fmt.Sprintf("; %s of it was a wait for a handshake slot", Short(waited))
	}
	return text
}

// Bar draws a span in the attempt's time, in a number of columns: |  ===     |. The shortest one is still to be seen.
func Bar(s result.Span, whole time.Duration, columns int) string {
	from := column(s.Start, whole, columns)
	length := max(column(s.Start+s.Duration, whole, columns)-from, 1)
	if from == columns {
		from--
	}
	return "|" + strings.Repeat(" ", from) + strings.Repeat("=", length) + strings.Repeat(" ", columns-from-length) +
		"|"
}

func column(at, whole time.Duration, columns int) int {
	if whole <= 0 {
		return 0
	}
	return int(min(max(at, 0), whole) * time.Duration(columns) / whole)
}

// name is what the name resolved to, who said so, and which address was dialled.
func (p *page) name(h *result.Hop) {
	p.section("  Addresses")
	if h.Proxy != "" {
		p.line("    proxy %s", h.Proxy)
	}
	if len(h.Answers) == 0 {
		p.line("    none known")
	}
	for _, answer := range h.Answers {
		p.line("    %s", answer)
	}
	if h.Addr.Port() != 0 {
		p.line("    dialled %s", h.Addr)
	}
	if h.Lookup == nil {
		return
	}
	p.section("  Resolver, queried for %s", h.Lookup.Host)
	p.lookup(h.Lookup)
	if c := h.Compared; c != nil {
		p.comparison(c, h)
	}
}

func (p *page) lookup(l *result.Lookup) {
	if len(l.Exchanges) == 0 {
		p.line("    no query was sent: the hosts file or the name itself has the answer")
	}
	for i := range l.Exchanges {
		e := &l.Exchanges[i]
		p.line("    at %9s  %s/%s  %s  %s, after %s", Short(e.Start), e.Server, e.Network, e.Question, outcome(e),
			Short(e.Duration))
	}
}

// comparison is what the system's resolver said beside the configured servers.
func (p *page) comparison(c *result.Comparison, h *result.Hop) {
	p.section("  The system's resolver, for comparison")
	switch stale := c.Stale(h.Answers); {
	case c.Failure != nil:
		p.line("    FAILED: %s", c.Failure.Sentence())
	case len(stale) == 0:
		p.line("    agrees")
	default:
		p.line("    returns addresses that the configured servers do not, they may be stale: %s", joined(stale))
	}
	if c.Lookup != nil {
		p.lookup(c.Lookup)
	}
}

func joined(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
	}
	return strings.Join(texts, ", ")
}

// outcome is what became of a question.
func outcome(e *result.DNSExchange) string {
	switch {
	case e.GivenUp:
		return "no answer by the time limit that applies once the other family has answered"
	case e.Err != nil && e.Errno != 0:
		return fmt.Sprintf("no answer: %s (%s)", result.ErrnoName(e.Errno), e.Err)
	case e.RCode < 0 && e.Err != nil:
		return fmt.Sprintf("no answer (%s)", e.Err)
	case e.RCode < 0:
		return "no answer"
	default:
		text := fmt.Sprintf("%s, %s", rcode(e.RCode), count(e.Answers, "record"))
		for _, extended := range e.Extended {
			text += ", " + extended.Name()
			if extended.Text != "" {
				text += fmt.Sprintf(": %q", extended.Text)
			}
		}
		return text
	}
}

// rcode names a DNS response code (RFC 1035 section 4.1.1).
func rcode(code int) string {
	names := []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}
	if code < len(names) {
		return names[code]
	}
	return fmt.Sprintf("RCODE %d", code)
}

package record

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A failure beside the last success of the same target: what is another now is where to look first.

// Difference is one fact of two probes.
type Difference struct {
	Name    string `json:"name"`
	Before  string `json:"before"` // of the success; empty where it had none
	Now     string `json:"now"`
	Changed bool   `json:"changed"`
}

// maxHeaderDifferences bounds the headers that are compared.
const maxHeaderDifferences = 20

// Compare compares a probe with an earlier one of the same target. What neither of them has is left out, as are headers
// that are the same.
func Compare(before, now *result.Result, m *module.Module) []Difference {
	b, n := factsOf(before), factsOf(now)
	all := make([]Difference, 0, len(b))
	for i := range b {
		d := Difference{Name: b[i].name, Before: b[i].value, Now: n[i].value}
		d.Changed = d.Before != d.Now
		if b[i].took > 0 && n[i].took > 0 { // which is never the same twice
			d.Changed = max(b[i].took, n[i].took) >= 2*min(b[i].took, n[i].took) &&
				(b[i].took-n[i].took).Abs() > time.Millisecond
		}
		if d.Before != "" || d.Now != "" {
			all = append(all, d)
		}
	}
	return append(all, compareHeaders(before, now, m)...)
}

// compared is a fact by its name: a text, or a duration that has its text.
type compared struct {
	name, value string
	took        time.Duration
}

// factsOf are a probe's facts, always the same ones in the same order.
func factsOf(r *result.Result) []compared {
	a := r.Last()
	h := a.LastHop()
	facts := []compared{{name: "result", value: "success"}, {name: "address"}, {name: "resolved to"},
		{name: "name servers"}, {name: "proxy"}, {name: "redirects"}, {name: "source address"}, {name: "TCP RTT"},
		{name: "MSS"}, {name: "path MTU"}, {name: "TLS version"}, {name: "cipher"}, {name: "ALPN"},
		{name: "server name"}, {name: "certificate"}, {name: "issuer"}, {name: "expires"}, {name: "response"}}
	if r.Failure != nil {
		facts[0].value = r.Failure.Sentence()
	}
	if h.Addr.IsValid() && h.Addr.Port() != 0 {
		facts[1].value = h.Addr.String()
	}
	var answers []string
	for _, answer := range h.Answers {
		answers = append(answers, answer.String())
	}
	slices.Sort(answers) // their order is the resolver's whim
	facts[2].value, facts[3].value, facts[4].value = strings.Join(answers, ", "), nameServers(h.Lookup), h.Proxy
	if len(a.Hops) > 1 {
		facts[5].value = fmt.Sprint(len(a.Hops) - 1)
	}
	if h.Wire != nil {
		routeFacts(h.Wire, facts[6:10])
	}
	if h.TLS != nil {
		handshakeFacts(h.TLS, facts[10:17])
	}
	if h.Response != nil {
		facts[17].value = h.Response.Proto + " " + h.Response.StatusText
	}
	for i := range result.Phases {
		fact := compared{name: string(result.Phases[i].Phase)}
		if span, began := h.Span(result.Phases[i].Phase); began {
			fact.value, fact.took = Short(span.Duration), span.Duration
			if span.Failed {
				fact.value, fact.took = fact.value+", failed", 0
			}
		}
		facts = append(facts, fact)
	}
	return facts
}

// nameServers are those that were asked.
func nameServers(l *result.Lookup) string {
	if l == nil {
		return ""
	}
	var servers []string
	for i := range l.Exchanges {
		servers = append(servers, l.Exchanges[i].Server)
	}
	slices.Sort(servers) // who answers first changes each time
	return strings.Join(slices.Compact(servers), ", ")
}

// routeFacts are what the socket knows of the route. Its source address is that of the interface which the routing
// table has for the peer: it is another one when the default route, a VPN or an address of this host has changed.
func routeFacts(w *result.Wire, facts []compared) {
	if w.Local.IsValid() {
		facts[0].value = w.Local.Addr().String()
	}
	if w.Info == nil || w.Info.RTT <= 0 {
		return
	}
	facts[1].value, facts[1].took = Short(w.Info.RTT), w.Info.RTT
	facts[2].value = fmt.Sprint(w.Info.SndMSS)
	if w.Info.PMTU > 0 {
		facts[3].value = fmt.Sprint(w.Info.PMTU)
	}
}

func handshakeFacts(s *result.TLSState, facts []compared) {
	if s.Version != 0 {
		facts[0].value = tls.VersionName(s.Version)
	}
	if s.CipherSuite != 0 {
		facts[1].value = tls.CipherSuiteName(s.CipherSuite)
	}
	facts[2].value, facts[3].value = s.ALPN, s.ServerName
	if len(s.Chain) > 0 {
		c := s.Chain[0]
		facts[4].value = fmt.Sprintf("%s, SHA-256 %.16x…", c.Subject, s.Fingerprint())
		facts[5].value, facts[6].value = c.Issuer.String(), c.NotAfter.UTC().Format(time.DateTime)
	}
}

// compareHeaders are the response's headers that differ, where both have a response.
func compareHeaders(before, now *result.Result, m *module.Module) []Difference {
	b, n := before.Last().LastHop().Response, now.Last().LastHop().Response
	if b == nil || n == nil {
		return nil
	}
	names := map[string]bool{}
	for _, header := range []http.Header{b.Header, n.Header} {
		for name := range header {
			names[name] = true
		}
	}
	var all []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		had, has := headerText(b.Header, name, m), headerText(n.Header, name, m)
		if had == has || had != "" && has != "" && changesAlways(name) || len(all) == maxHeaderDifferences {
			continue
		}
		all = append(all, Difference{Name: "header " + name, Before: had, Now: has, Changed: true})
	}
	return all
}

func headerText(header http.Header, name string, m *module.Module) string {
	var shown []string
	for _, value := range header[name] {
		shown = append(shown, responseValue(name, value, m))
	}
	return result.Cut(strings.Join(shown, ", "), maxComparedText)
}

// maxComparedText bounds a value in bytes.
const maxComparedText = 200

// changesAlways reports whether a header has another value in each response.
func changesAlways(name string) bool {
	switch name {
	case "Date", "Age", "Expires", "Etag", "Last-Modified", "Set-Cookie", "Content-Length":
		return true
	}
	lower := strings.ToLower(name)
	for _, part := range []string{"-id", "trace", "-ray", "timing", "nonce"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

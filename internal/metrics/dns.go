package metrics

import (
	"slices"

	"errno_exporter/prober/result"
)

// addFamilies adds what became of the questions for IPv4 and IPv6 addresses, where both were asked for.
func (e *Exposition) addFamilies(h *result.Hop) {
	families := h.Lookup.Families()
	if len(families) < 2 {
		return
	}
	for _, f := range families {
		family := label{"family", f.Name}
		e.gauge("probe_dns_family_success", "1 if the name servers answered for this address family, even with no "+
			"addresses; 0 if they did not answer or failed.", number(f.Answered), family)
		e.gauge("probe_dns_family_duration_seconds",
			"Time from the query for this address family to its answer, or until the probe stopped waiting, in "+
				"seconds.", f.Duration.Seconds(), family)
	}
}

// addExtended adds each Extended DNS Error that the name servers' answers have, once.
func (e *Exposition) addExtended(h *result.Hop) {
	if h.Lookup == nil {
		return
	}
	var codes []string
	for i := range h.Lookup.Exchanges {
		for _, extended := range h.Lookup.Exchanges[i].Extended {
			if code := extended.Label(); !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	slices.Sort(codes)
	for _, code := range codes {
		e.gauge("probe_dns_error_info", "1 for each Extended DNS Error (RFC 8914) in the name servers' answers, by its "+
			"registered code or other; absent without one.", 1, label{"code", code})
	}
}

// addComparison adds what the configured name servers and the system's resolver said of the target's name.
func (e *Exposition) addComparison(h *result.Hop) {
	if h.Lookup == nil || h.Compared == nil {
		return
	}
	configured, system := label{"resolver", "configured"}, label{"resolver", "system"}
	answered, c := len(h.Answers) > 0, h.Compared
	const success, ttl = "probe_dns_resolver_success", "probe_dns_ttl_seconds"
	const successHelp, ttlHelp = "1 if this resolver gave an address of the target's name.",
		"How long the answer of this resolver may still be used: the record that lives shortest."
	e.gauge(success, successHelp, number(answered), configured)
	e.gauge(success, successHelp, number(c.Failure == nil), system)
	if left := h.Lookup.TTL(); left >= 0 {
		e.gauge(ttl, ttlHelp, left.Seconds(), configured)
	}
	if c.Lookup != nil && c.Lookup.TTL() >= 0 {
		e.gauge(ttl, ttlHelp, c.Lookup.TTL().Seconds(), system)
	}
	if answered && c.Failure == nil {
		e.gauge("probe_dns_answers_overlap", "1 if the answers of the configured name servers and the system's "+
			"resolver have an address in common.", number(c.Overlap(h.Answers)))
		e.gauge("probe_dns_stale_addresses", "Number of addresses that the system's resolver returned and the "+
			"configured name servers did not.", float64(len(c.Stale(h.Answers))))
	}
}

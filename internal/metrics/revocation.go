package metrics

import (
	"fmt"
	"strconv"

	"errno_exporter/prober/result"
)

// addRevocations adds what check_revoked found of each certificate of the verified chain, by the names that
// blackbox_exporter has.
func (e *Exposition) addRevocations(state *result.TLSState) {
	for _, family := range []struct {
		name, help string
		value      func(*result.Revocation) float64
	}{
		{"probe_ssl_crl_revoked", "1 if the certificate is in its list of revoked certificates.",
			func(r *result.Revocation) float64 { return number(r.Revoked) }},
		{"probe_ssl_crl_available", "1 if the list of revoked certificates could be had and is about the certificate.",
			func(r *result.Revocation) float64 { return number(r.Available) }},
		{"probe_ssl_crl_stale", "1 if the list of revoked certificates should have been replaced.",
			func(r *result.Revocation) float64 { return number(r.Stale) }},
	} {
		for i := range state.Revocations {
			r := &state.Revocations[i]
			e.gauge(family.name, family.help, family.value(r), revocationLabels(i, r)...)
		}
	}
	for i := range state.Revocations {
		r := &state.Revocations[i]
		if !r.NextUpdate.IsZero() {
			e.gauge("probe_ssl_crl_next_update_timestamp_seconds",
				"Unix time at which the list of revoked certificates is to be replaced.", float64(r.NextUpdate.Unix()),
				revocationLabels(i, r)...)
		}
	}
	e.gauge("probe_ssl_crl_fetch_time_seconds", "How long getting the lists of revoked certificates took.",
		state.ListsTook.Seconds())
}

func revocationLabels(position int, r *result.Revocation) []label {
	return []label{{"chain_pos", strconv.Itoa(position)}, {"crl_url", r.List},
		{"fingerprint_sha256", fmt.Sprintf("%x", r.Fingerprint)}, {"issuer", r.Issuer}, {"serialnumber", r.Serial},
		{"subject", r.Subject}, {"subjectalternative", r.Names}}
}

// addStaple adds what the OCSP response says that the server sent with its certificate.
func (e *Exposition) addStaple(s *result.Staple) {
	e.gauge("probe_tls_ocsp_info",
		"1, with the status of the certificate in the OCSP response that the server sent with it.", 1,
		label{"status", string(s.Status)})
	if !s.NextUpdate.IsZero() {
		e.gauge("probe_tls_ocsp_next_update_timestamp_seconds",
			"Unix time at which the OCSP response that the server sent is to be replaced.", float64(s.NextUpdate.Unix()))
	}
}

package prober_test

import (
	"fmt"
	"strings"

	"errno_exporter/prober/result"
)

// evidence prints what a probe left behind, for a failing test.
func evidence(r *result.Result) string {
	var b strings.Builder
	if r.Failure != nil {
		fmt.Fprintf(&b, "\nerr %v (%T)", r.Failure.Err, r.Failure.Err)
	}
	for i := range r.Last().Hops {
		hop := &r.Last().Hops[i]
		fmt.Fprintf(&b, "\nhop %s spans %+v", hop.URL, hop.Spans)
		if hop.TLS != nil {
			fmt.Fprintf(&b, "\n  tls %x alpn %q complete %v asked %v alert %d", hop.TLS.Version, hop.TLS.ALPN,
				hop.TLS.Complete, hop.TLS.ClientCertAsked, hop.TLS.Alert)
		}
		if hop.Lookup != nil {
			fmt.Fprintf(&b, "\n  lookup %+v", *hop.Lookup)
		}
		if w := hop.Wire; w != nil {
			fmt.Fprintf(&b, "\n  sent %d received %d icmp %+v info (%s) %+v", w.BytesSent, w.BytesReceived, w.ICMP,
				w.InfoAt, w.Info)
			for _, e := range w.Events {
				fmt.Fprintf(&b, "\n  %+v", e)
			}
		}
	}
	return b.String()
}

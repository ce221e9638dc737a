package prober_test

import (
	"slices"
	"testing"

	"errno_exporter/prober/result"
)

// notProvoked are the reasons that no fault of ours produces, and why.
var notProvoked = map[result.Reason]string{
	result.HTTPFailed:   "the rest: every error of net/http that we can provoke has a reason of its own",
	result.Unknown:      "by definition; TestClassifyConnect and TestReasonOfCause have its rows",
	result.H2PingFailed: "we send no HTTP/2 pings: TCP's keepalives tell the same without the server's help",
	result.LocalNoResources: "ENOBUFS and ENOMEM cannot be had without starving the whole machine; " +
		"TestClassifyConnect has their rows",
	result.Abandoned: "not a fault of anybody: TestCancelledProbeIsAbandoned",
}

// TestEveryReasonHasAFault holds the vocabulary and the tables of faults together: a reason that nothing produces does
// not exist.
func TestEveryReasonHasAFault(t *testing.T) {
	produced := map[result.Reason]result.Phase{}
	expect := func(name string, phase result.Phase, reason result.Reason) {
		if reason == "" {
			return
		}
		produced[reason] = phase
		if !slices.Contains(reason.Info().Phases, phase) {
			t.Errorf("%s: (%s, %s) is not in the table of reasons", name, phase, reason)
		}
	}
	for _, row := range slices.Concat(tcpFaults, http1Faults(), tlsFaults(), http2Faults(), http3Faults(), floods(),
		pinFaults(), revokedFaults(), stapleFaults(), checkRows()) {
		for _, want := range row.want {
			expect(row.name, want.Phase, want.Reason)
		}
	}
	for _, row := range proxyFaults {
		for _, want := range row.want {
			expect(row.name, want.Phase, want.Reason)
		}
	}
	for _, row := range dnsFaults {
		expect(row.name, row.want.Phase, row.want.Reason)
	}
	for _, row := range oauth2Faults {
		expect(row.name, row.want.Phase, row.want.Reason)
	}
	for _, row := range slices.Concat(netnsLocalRows(), netnsConnectRows(), netnsRejectionRows(), netnsResolveRows(),
		netnsQUICRows(), netnsExchangeRows()) {
		expect(row.name, row.want.Phase, row.want.Reason)
	}
	for _, row := range result.Reasons {
		_, faulty := produced[row.Reason]
		why, listed := notProvoked[row.Reason]
		if faulty == listed {
			t.Errorf("reason %s: produced by a fault: %v; listed as not provoked: %q; want one of the two", row.Reason,
				faulty, why)
		}
	}
}

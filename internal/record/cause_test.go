package record

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
)

// The record has the kernel's counters that rose, that none did, or that they are still awaited.
func TestKernelCounters(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 12, 4, 0, time.UTC)
	const heading = "\nKernel counters that rose from 03:12:04.000 to 03:12:05.000 UTC, of this network namespace and " +
		"not of the probe alone\n"
	changes := func(changed ...counters.Change) *counters.Around {
		return counters.Of(&counters.Changes{From: at, To: at.Add(time.Second), Changed: changed})
	}
	for _, row := range []struct {
		name   string
		kernel *counters.Around
		want   string
	}{
		{"not read", nil, ""},
		{"awaited", new(counters.Around), "\n" + counters.StillAwaited + "\n"},
		{"none", changes(), heading + "  none\n"},
		{"one", changes(counters.Change{Name: "IpOutNoRoutes", By: 2, Meaning: "no route"}),
			heading + "  IpOutNoRoutes                  +2  no route\n"},
	} {
		p := &page{width: int(DefaultWidth)}
		p.findings(cause.Findings{Kernel: row.kernel})
		if diff := cmp.Diff(row.want, p.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// A verdict is text of at most 100 columns: what is sure, what was ruled out, what is open, what is next.
func TestVerdictText(t *testing.T) {
	v := &cause.Verdict{
		Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.Medium,
		Evidence: []string{"connection reset by the peer while waiting for the response (ECONNRESET)",
			strings.Repeat("a word ", 20), "an \x1b[31mescape"},
		RuledOut: []cause.RuledOut{{Cause: cause.RequestRejected, By: "the request is a plain GET"}},
		Open:     []cause.Cause{cause.Transient, cause.FirewallReject},
		Next:     []string{"probe again", "ask the API's owner"},
	}
	want := `VERDICT  server_aborts · party server · confidence medium
  The server ends connections without a complete answer.
  - connection reset by the peer while waiting for the response (ECONNRESET)
  - a word a word a word a word a word a word a word a word a word a word a word a word a word a
    word a word a word a word a word a word a word
  - an \u001b[31mescape
RULED OUT
  request_rejected      the request is a plain GET
OPEN     transient, firewall_reject
NEXT     probe again
         ask the API's owner`
	got := CauseLine(v) + "\n" + strings.Join(VerdictLines(v, 0), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for line := range strings.Lines(got) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	unknown := &cause.Verdict{Cause: cause.Unknown, Party: cause.UnknownParty, Confidence: cause.Low}
	if got, want := CauseLine(unknown), "VERDICT  unknown · party unknown"; got != want {
		t.Errorf("CauseLine() = %q, want %q", got, want)
	}
}

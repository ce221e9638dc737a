package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/cause"
)

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
	got := CauseLine(v) + "\n" + strings.Join(VerdictLines(v), "\n")
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

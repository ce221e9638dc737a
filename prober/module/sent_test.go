package module

import (
	"fmt"
	"strings"
	"testing"
)

// The last secrets are remembered, as far as the bounds allow; what the configuration spells out is not counted.
func TestSentIsBounded(t *testing.T) {
	configured := (*Mask)(nil).With("configured")
	m := &Module{Mask: configured, Sent: new(Sent)}
	if m.Sent.add(configured, []string{"configured", "abc"}); m.Secrets() != configured {
		t.Error("a secret that is known, or too short, is remembered")
	}
	for i := range 100 {
		m.Sent.add(configured, []string{fmt.Sprintf("token-%03d", i)})
	}
	for text, want := range map[string]string{"token-083": "token-083", "token-084": Masked, "token-099": Masked,
		"configured": Masked} {
		if got := m.Secrets().Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	m.Sent.add(configured, []string{strings.Repeat("x", maxSentBytes-20), strings.Repeat("y", maxSentBytes+1)})
	if len(m.Sent.recent) != 3 || bytesOf(m.Sent.recent) > maxSentBytes {
		t.Errorf("%d secrets of %d bytes are remembered, want 3: the long one and the two before it",
			len(m.Sent.recent), bytesOf(m.Sent.recent))
	}
	if (&Module{Mask: configured}).Secrets() != configured || (&Module{Sent: new(Sent)}).Secrets() != nil {
		t.Error("a module without secrets of run time has another mask than its own")
	}
}

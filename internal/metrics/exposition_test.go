package metrics

import (
	"strings"
	"testing"

	"errno_exporter/internal/claims"
)

func TestBoundedLabel(t *testing.T) {
	for _, row := range []struct{ name, value, want string }{
		{"as it is", "CN=api.example.com", "CN=api.example.com"},
		{"not UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"as long as it may be", strings.Repeat("a", 512), strings.Repeat("a", 512)},
		{"too long", strings.Repeat("a", 513), strings.Repeat("a", 512)},
		{"cut between characters", strings.Repeat("a", 511) + "é", strings.Repeat("a", 511)},
	} {
		if got := boundedLabel(row.value); got != row.want {
			t.Errorf("%s: boundedLabel(%q) = %q, want %q", row.name, row.value, got, row.want)
		}
	}
	claims.Prove(t, "length of a label's value", maxLabelValue)
}

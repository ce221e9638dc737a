package dns

import (
	"testing"

	"errno_exporter/internal/claims"
)

// Of a lookup 32 questions are kept.
func TestQuestionsAreBounded(t *testing.T) {
	const questions = 32
	l := new(lookup)
	for range 3 * questions {
		l.add(newExchange("127.0.0.1:53", "udp", 0, 0, nil))
	}
	if n := len(l.record.Exchanges); n != questions {
		t.Errorf("%d questions are kept, want %d", n, questions)
	}
	claims.Prove(t, "questions kept of a lookup", questions)
}

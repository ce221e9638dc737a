package prober

import (
	"crypto/rand"
	"encoding/hex"
)

// newTraceID returns a random trace ID (W3C Trace Context, section 3.2.2.3): 32 hexadecimal digits, not all zero.
func newTraceID() string { return randomHex(16) }

// traceparent is the header of one request of a trace: version 00, a new parent ID, sampled.
func traceparent(traceID string) string { return "00-" + traceID + "-" + randomHex(8) + "-01" }

func randomHex(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // fails never (crypto/rand)
	id[0] |= 1           // never all zero
	return hex.EncodeToString(id)
}

package prober

import "testing"

// Records are counted by their headers, however they are cut into reads.
func TestTLSRecordsAreCounted(t *testing.T) {
	stream := []byte("\x16\x03\x03\x00\x02ab" + "\x17\x03\x03\x00\x00" + "\x17\x03\x03\x01\x00" +
		string(make([]byte, 256)) + "\x15\x03\x03\x00\x02")
	for size := 1; size <= len(stream); size++ {
		r, got := new(tlsRecords), int64(0)
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			got, rest = got+r.count(rest[:n]), rest[n:]
		}
		if got != 4 {
			t.Errorf("%d records in pieces of %d bytes, want 4", got, size)
		}
	}
}

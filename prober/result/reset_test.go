package result

import (
	"testing"
	"time"
)

// A captured RST in a line.
func TestResetLine(t *testing.T) {
	const us = time.Microsecond
	full := RST{At: 41200 * us, AfterWrite: 300 * us, AfterSYNACK: 20100 * us, Sequence: SequenceExact, Acked: -1,
		IPv4: true, DF: true, Index: 1, Count: 3}
	with := func(change func(*RST)) *RST { s := full; change(&s); return &s }
	for _, row := range []struct {
		reset Reset
		want  string
	}{
		{Reset{TTL: 63, Reference: 64}, ""},
		{Reset{TTL: 63, Reference: 64, RST: &full}, "RST at 41.2 ms, 0.3 ms after our last write, 20.1 ms after the " +
			"SYN-ACK: sequence exact, window 0, IP ID 0, DF, TTL 63 (SYN-ACK: 64), 1 of 3"},
		{Reset{TTL: 63, RST: with(func(s *RST) {
			s.ACK, s.Acked, s.Sequence, s.Window, s.ID, s.DF = true, 17, SequenceInWindow, 64, 4711, false
			s.Payload = "no \"state\""
		})}, "RST-ACK at 41.2 ms, 0.3 ms after our last write, 20.1 ms after the SYN-ACK: sequence in window, " +
			"acknowledges 17 bytes, window 64, IP ID 4711, no DF, TTL 63, 1 of 3, payload \"no \\\"state\\\"\""},
		{Reset{TTL: 63, Reference: 62, RST: with(func(s *RST) {
			s.IPv4, s.AfterWrite, s.AfterSYNACK, s.Sequence = false, 0, 0, SequenceOutside
		})}, "RST at 41.2 ms: sequence out of window, window 0, hop limit 63 (SYN-ACK: 62), 1 of 3"},
		{Reset{TTL: 1, RST: &RST{ACK: true, Acked: -1, Index: 1, Count: 1}}, "RST-ACK: window 0, hop limit 1, 1 of 1"},
	} {
		if got := row.reset.Line(); got != row.want {
			t.Errorf("%q\nwant %q", got, row.want)
		}
	}
}

// Sequence numbers wrap, and a window that is not known leaves open whether a number is within it.
func TestSequenceOf(t *testing.T) {
	const most = 1<<32 - 1
	for _, row := range []struct {
		offset, next, window uint32
		want                 Sequence
	}{
		{10, 10, 0, SequenceExact},
		{11, 10, 0, ""},
		{11, 10, 1, SequenceOutside},
		{11, 10, 2, SequenceInWindow},
		{9, 10, 0, SequenceOutside},
		{0, most, 2, SequenceInWindow},
		{most, 0, 2, SequenceOutside},
		{most, most, 2, SequenceExact},
	} {
		if got := SequenceOf(row.offset, row.next, row.window); got != row.want {
			t.Errorf("%d with %d received and a window of %d: %q, want %q", row.offset, row.next, row.window, got,
				row.want)
		}
	}
}

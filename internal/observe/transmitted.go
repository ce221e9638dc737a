package observe

import "time"

// transmitted counts what a connection has retransmitted, and for how long it has waited for the peer's receive window,
// since it was counted last. The caller holds the mutex of the targets.
func transmitted(r *record, s *sighting, of []*tally) {
	retransmits, limited := s.info.totalRetransmits, s.info.limited()
	for _, one := range of {
		if retransmits > r.retransmits {
			one.last.Retransmitted += uint64(retransmits - r.retransmits)
		}
		if limited > r.windowLimited {
			one.last.WindowLimited += time.Duration(limited-r.windowLimited) * time.Millisecond
		}
	}
	r.counted(s)
}

// counted notes what has been counted.
func (r *record) counted(s *sighting) {
	r.retransmits, r.windowLimited = s.info.totalRetransmits, s.info.limited()
}

// limited is windowLimited in milliseconds, of which 32 bits are 49 days.
func (t *tcpInfo) limited() uint32 { return uint32(t.windowLimited / time.Millisecond) }

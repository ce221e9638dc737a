package reset

import (
	"errno_exporter/prober/result"
)

// newReset is a RST as it is reported, of so many.
func newReset(s *rst, reference uint8, count int) *result.Reset {
	return &result.Reset{Sender: senderOf(s.segment, reference), TTL: s.ttl, Reference: reference, Live: s.options,
		RST: &result.RST{Arrived: s.arrived, ACK: s.flags&flagACK != 0, Acked: -1, Window: s.window, IPv4: s.ipv4,
			ID: s.id, DF: s.df, Index: s.index, Count: count, Payload: s.payload}}
}

// ended is the RST that ended a connection: the first with the exact sequence number or, where none is known to have
// it, the last.
func (f *flowSeen) ended(w *result.Wire, reference uint8) *result.Reset {
	end := len(f.resets) - 1
	for i := range f.resets {
		if f.sequence(&f.resets[i], w) == result.SequenceExact {
			end = i
			break
		}
	}
	last := &f.resets[end]
	r := newReset(last, reference, f.count)
	r.RST.Sequence = f.sequence(last, w)
	if f.synAck.ttl != 0 {
		r.RST.AfterSYNACK = last.arrived.Sub(f.synAck.arrived)
		if r.RST.ACK {
			r.RST.Acked = int64(last.acknowledged - f.synAck.acknowledged)
		}
	}
	for i := end + 1; i < len(f.resets) && r.RST.Sequence == result.SequenceExact; i++ {
		r.RST.AheadAfter = r.RST.AheadAfter || int32(f.resets[i].sequence-last.sequence) > 0
	}
	return r
}

// sequence is where a RST is: the SYN-ACK has the number of the stream's first byte, and TCP_INFO at the failure how
// much of the stream was received, the FIN included.
func (f *flowSeen) sequence(s *rst, w *result.Wire) result.Sequence {
	if f.synAck.ttl == 0 || w.Info == nil || w.InfoAt != "failure" {
		return ""
	}
	return result.SequenceOf(s.sequence-f.synAck.next, uint32(w.Info.BytesReceived), w.Info.RcvWnd)
}

package record

import (
	"errno_exporter/prober/result"
)

// Reset is a captured RST as every JSON has it. What is not known is absent.
type Reset struct {
	Sender      result.Sender   `json:"sender"`
	TTL         uint8           `json:"ttl"`
	SYNACKTTL   uint8           `json:"syn_ack_ttl,omitempty"`
	Kind        string          `json:"kind,omitempty"` // RST or RST-ACK
	Sequence    result.Sequence `json:"sequence,omitempty"`
	Acked       *int64          `json:"acknowledged_bytes,omitempty"`
	Window      uint16          `json:"window"`
	ID          *uint16         `json:"ip_id,omitempty"`
	DF          *bool           `json:"ip_df,omitempty"`
	Index       int             `json:"index,omitempty"` // among the RSTs of the connection, from 1
	Count       int             `json:"count,omitempty"`
	At          float64         `json:"at_seconds,omitempty"`
	AfterSYNACK float64         `json:"after_syn_ack_seconds,omitempty"`
	AfterWrite  float64         `json:"after_write_seconds,omitempty"`
	Payload     string          `json:"payload,omitempty"`
	Sentence    string          `json:"sentence"`
	Line        string          `json:"line,omitempty"`
}

// ResetOf is a reset for JSON; nil where none was captured.
func ResetOf(r *result.Reset) *Reset {
	if r == nil {
		return nil
	}
	out := &Reset{Sender: r.Sender, TTL: r.TTL, SYNACKTTL: r.Reference, Sentence: r.String(), Line: r.Line()}
	s := r.RST
	if s == nil {
		return out
	}
	out.Kind, out.Sequence, out.Window, out.Index, out.Count = s.Kind(), s.Sequence, s.Window, s.Index, s.Count
	out.At, out.AfterSYNACK, out.AfterWrite = s.At.Seconds(), s.AfterSYNACK.Seconds(), s.AfterWrite.Seconds()
	out.Payload = s.Payload
	if s.Acked >= 0 {
		out.Acked = &s.Acked
	}
	if s.IPv4 {
		out.ID, out.DF = &s.ID, &s.DF
	}
	return out
}

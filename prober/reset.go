package prober

import (
	"net/netip"
	"time"

	"errno_exporter/prober/result"
)

// Resets reports who sent a RST. internal/reset implements it.
type Resets interface {
	// Ended returns the RST that ended a connection, given what its socket saw; nil if none was captured.
	Ended(*result.Wire) *result.Reset
	// Refused returns the RST that has answered a SYN to a server since a time; nil if none was seen.
	Refused(remote netip.AddrPort, since time.Time) *result.Reset
}

// provenance notes who sent the RST by which a hop failed, and corrects the origin where that is certain.
func (h *hop) provenance(f *result.Failure) {
	resets := h.attempt.prober.options.Resets
	if resets == nil || f.Reason != result.TCPReset && f.Reason != result.TCPRefused {
		return
	}
	if h.socket == nil && h.Wire != nil && h.Wire.ICMP == nil && f.Reason == result.TCPRefused {
		h.Wire.Reset = resets.Refused(h.Wire.Remote, h.attempt.start)
		timed(h.Wire.Reset, h.attempt.start, 0)
		h.Wire.Reset.Correct(f)
	}
	if h.socket != nil {
		reset := resets.Ended(h.socket.Wire())
		_, wrote := h.socket.Times()
		timed(reset, h.socket.Start(), wrote)
		h.socket.SetReset(reset)
		reset.Correct(f)
	}
}

// timed adds when a RST arrived, since the attempt began and since the last write, if there was one.
func timed(r *result.Reset, start time.Time, wrote time.Duration) {
	if r == nil || r.RST == nil {
		return
	}
	r.RST.At = max(0, r.RST.Arrived.Sub(start))
	if wrote > 0 && r.RST.At > wrote {
		r.RST.AfterWrite = r.RST.At - wrote
	}
}

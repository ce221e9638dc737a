package prober

import (
	"net/netip"
	"time"

	"errno_exporter/prober/result"
)

// Resets reports who sent a RST. internal/reset implements it.
type Resets interface {
	// Ended returns the RST that ended a connection; nil if none was seen.
	Ended(local, remote netip.AddrPort) *result.Reset
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
		h.Wire.Reset.Correct(f)
	}
	if h.socket != nil {
		reset := resets.Ended(h.socket.Addresses())
		h.socket.SetReset(reset)
		reset.Correct(f)
	}
}

package cli

import (
	"encoding/json"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/record"
	"errno_exporter/prober/result"
)

// probeJSON is a probe for programs. Durations are seconds.
type probeJSON struct {
	Target    string          `json:"target"`
	Module    string          `json:"module"`
	Start     time.Time       `json:"start"`
	Duration  float64         `json:"duration_seconds"`
	Success   bool            `json:"success"`
	Failure   *record.Failure `json:"failure,omitempty"`
	Attempts  []attemptJSON   `json:"attempts"`
	Addresses []addressJSON   `json:"addresses,omitempty"`
	Verdict   *cause.Verdict  `json:"verdict,omitempty"`

	Experiments []experimentJSON  `json:"experiments,omitempty"`
	Kernel      *counters.Changes `json:"kernel_counters,omitempty"`
}

type attemptJSON struct {
	Hops    []hopJSON       `json:"hops"`
	Failure *record.Failure `json:"failure,omitempty"`
}

type hopJSON struct {
	URL       string      `json:"url"`
	Address   string      `json:"address,omitempty"`
	Addresses []string    `json:"addresses,omitempty"`
	Phases    []phaseJSON `json:"phases"`
	Status    int         `json:"status,omitempty"`
	Protocol  string      `json:"protocol,omitempty"`
	RTT       float64     `json:"tcp_rtt_seconds,omitempty"`

	UpstreamReason result.UpstreamReason `json:"upstream_reason,omitempty"`
	UpstreamBy     result.Gateway        `json:"upstream_by,omitempty"`

	Reset *record.Reset `json:"reset,omitempty"`
}

type phaseJSON struct {
	Phase    result.Phase `json:"phase"`
	Start    float64      `json:"start_seconds"`
	Duration float64      `json:"duration_seconds"`
	Failed   bool         `json:"failed,omitempty"`
}

type addressJSON struct {
	Address string          `json:"address"`
	Success bool            `json:"success"`
	Failure *record.Failure `json:"failure,omitempty"`
}

type experimentJSON struct {
	Kind    result.ExperimentKind `json:"kind"`
	Failure *record.Failure       `json:"failure,omitempty"`
	Text    string                `json:"text"`
}

// JSON prints a probe and the findings about its failure as one line of JSON.
func (p *Printer) JSON(r *result.Result, found cause.Findings) error {
	out := probeJSON{
		Target: r.URL, Module: r.Module, Start: r.Start, Duration: r.Elapsed.Seconds(),
		Success: r.Failure == nil, Failure: toFailure(r.Failure), Verdict: found.Verdict,
		Kernel: found.Kernel.Changes(),
	}
	for i := range found.Experiments {
		c := &found.Experiments[i]
		out.Experiments = append(out.Experiments, experimentJSON{c.Kind, toFailure(c.Failure), cause.ExperimentText(c)})
	}
	for i := range r.Attempts {
		attempt := attemptJSON{Failure: toFailure(r.Attempts[i].Failure)}
		for j := range r.Attempts[i].Hops {
			attempt.Hops = append(attempt.Hops, toHop(&r.Attempts[i].Hops[j]))
		}
		out.Attempts = append(out.Attempts, attempt)
	}
	for i := range r.Addresses {
		a := &r.Addresses[i]
		out.Addresses = append(out.Addresses, addressJSON{a.Addr.String(), a.Failure == nil, toFailure(a.Failure)})
	}
	return json.NewEncoder(escape.NewWriter(p.Out)).Encode(out)
}

func toFailure(f *result.Failure) *record.Failure {
	if f == nil {
		return nil
	}
	out := record.FailureOf(f)
	return &out
}

func toHop(h *result.Hop) hopJSON {
	out := hopJSON{URL: h.URL, Phases: []phaseJSON{}}
	if h.Addr.IsValid() && h.Addr.Port() != 0 {
		out.Address = h.Addr.String()
	}
	for _, addr := range h.Answers {
		out.Addresses = append(out.Addresses, addr.String())
	}
	for _, s := range h.Spans {
		out.Phases = append(out.Phases, phaseJSON{s.Phase, s.Start.Seconds(), s.Duration.Seconds(), s.Failed})
	}
	if h.Response != nil {
		out.Status, out.Protocol = h.Response.Status, h.Response.Proto
	}
	if h.Upstream != nil {
		out.UpstreamReason, out.UpstreamBy = h.Upstream.Reason, h.Upstream.By
	}
	if h.Wire != nil {
		out.Reset = record.ResetOf(h.Wire.Reset)
	}
	if h.Wire != nil && h.Wire.Info != nil {
		out.RTT = h.Wire.Info.RTT.Seconds()
	}
	return out
}

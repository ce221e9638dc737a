package record

import (
	"encoding/json"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Schema is the version of JSON. It rises when a field is removed or changes its meaning; fields may be added at any
// time.
const Schema = 2

// JSON is a probe for programs. Durations are seconds.
type JSON struct {
	Schema    int            `json:"schema"`
	ID        ulid.ULID      `json:"id,omitzero"`
	Name      string         `json:"name,omitempty"` // of the configured target
	Target    string         `json:"target"`
	Module    string         `json:"module"`
	Start     time.Time      `json:"start"`
	Duration  float64        `json:"duration_seconds"`
	Success   bool           `json:"success"`
	Failure   *Failure       `json:"failure,omitempty"`
	Attempts  []AttemptJSON  `json:"attempts"`
	Addresses []AddressJSON  `json:"addresses,omitempty"`
	Verdict   *cause.Verdict `json:"verdict,omitempty"`

	Experiments []ExperimentJSON  `json:"experiments,omitempty"`
	Kernel      *counters.Changes `json:"kernel_counters,omitempty"`
	Compared    *ComparedJSON     `json:"compared_with_last_success,omitempty"`
}

// ComparedJSON is a failure beside the last success before it.
type ComparedJSON struct {
	ID    ulid.ULID    `json:"id"` // of the success
	Facts []Difference `json:"facts"`
}

// AttemptJSON is one attempt.
type AttemptJSON struct {
	Hops    []HopJSON `json:"hops"`
	Failure *Failure  `json:"failure,omitempty"`
}

// HopJSON is one exchange: name, addresses, connection, response.
type HopJSON struct {
	URL       string      `json:"url"`
	Address   string      `json:"address,omitempty"`
	Addresses []string    `json:"addresses,omitempty"`
	Phases    []PhaseJSON `json:"phases"`
	Status    int         `json:"status,omitempty"`
	Protocol  string      `json:"protocol,omitempty"`
	RTT       float64     `json:"tcp_rtt_seconds,omitempty"`

	UpstreamReason result.UpstreamReason `json:"upstream_reason,omitempty"`
	UpstreamBy     result.Gateway        `json:"upstream_by,omitempty"`

	Reset *Reset `json:"reset,omitempty"`
}

// PhaseJSON is the time that one phase took.
type PhaseJSON struct {
	Phase    result.Phase `json:"phase"`
	Start    float64      `json:"start_seconds"`
	Duration float64      `json:"duration_seconds"`
	Failed   bool         `json:"failed,omitempty"`
}

// AddressJSON is the probe of one of a name's addresses.
type AddressJSON struct {
	Address string   `json:"address"`
	Success bool     `json:"success"`
	Failure *Failure `json:"failure,omitempty"`
}

// ExperimentJSON is an experiment after a failure.
type ExperimentJSON struct {
	Kind    result.ExperimentKind `json:"kind"`
	Failure *Failure              `json:"failure,omitempty"`
	Text    string                `json:"text"`
}

// JSONOf is a probe and the findings about its failure.
func JSONOf(r *result.Result, found cause.Findings) *JSON {
	out := &JSON{
		Schema: Schema,
		Target: r.URL, Module: r.Module, Start: r.Start, Duration: r.Elapsed.Seconds(),
		Success: r.Failure == nil, Failure: toFailure(r.Failure), Verdict: found.Verdict,
		Kernel: found.Kernel.Changes(),
	}
	for i := range found.Experiments {
		c := &found.Experiments[i]
		out.Experiments = append(out.Experiments, ExperimentJSON{c.Kind, toFailure(c.Failure), cause.ExperimentText(c)})
	}
	for i := range r.Attempts {
		attempt := AttemptJSON{Failure: toFailure(r.Attempts[i].Failure)}
		for j := range r.Attempts[i].Hops {
			attempt.Hops = append(attempt.Hops, toHop(&r.Attempts[i].Hops[j]))
		}
		out.Attempts = append(out.Attempts, attempt)
	}
	for i := range r.Addresses {
		a := &r.Addresses[i]
		out.Addresses = append(out.Addresses, AddressJSON{a.Addr.String(), a.Failure == nil, toFailure(a.Failure)})
	}
	return out
}

// Write writes it as one line of printable text.
func (j *JSON) Write(to io.Writer) error { return json.NewEncoder(escape.NewWriter(to)).Encode(j) }

func toFailure(f *result.Failure) *Failure {
	if f == nil {
		return nil
	}
	out := FailureOf(f)
	return &out
}

func toHop(h *result.Hop) HopJSON {
	out := HopJSON{URL: h.URL, Phases: []PhaseJSON{}}
	if h.Addr.IsValid() && h.Addr.Port() != 0 {
		out.Address = h.Addr.String()
	}
	for _, addr := range h.Answers {
		out.Addresses = append(out.Addresses, addr.String())
	}
	for _, s := range h.Spans {
		out.Phases = append(out.Phases, PhaseJSON{s.Phase, s.Start.Seconds(), s.Duration.Seconds(), s.Failed})
	}
	if h.Response != nil {
		out.Status, out.Protocol = h.Response.Status, h.Response.Proto
	}
	if h.Upstream != nil {
		out.UpstreamReason, out.UpstreamBy = h.Upstream.Reason, h.Upstream.By
	}
	if h.Wire != nil {
		out.Reset = ResetOf(h.Wire.Reset)
	}
	if h.Wire != nil && h.Wire.Info != nil {
		out.RTT = h.Wire.Info.RTT.Seconds()
	}
	return out
}

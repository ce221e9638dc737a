package metrics

import (
	"net/url"

	dto "github.com/prometheus/client_model/go"

	"errno_exporter/config"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Kept is which series there are of what is counted of a target.
type Kept struct {
	Histograms config.Histograms
	Resets     []result.Phase // whose counters of resets exist before the first one
}

// ResetPhases are the phases in which a probe of a target may end with a reset, those that happen by chance left out: a
// request without a body is one write, which has been made before a reset can arrive.
func ResetPhases(m *module.Module, target *url.URL) []result.Phase {
	if m.EnableHTTP3 {
		return nil // QUIC has no resets
	}
	var phases []result.Phase
	if m.Proxy != nil {
		phases = append(phases, result.Proxy)
	}
	if target.Scheme == "https" {
		phases = append(phases, result.TLS)
	}
	if len(m.Body) > 0 {
		phases = append(phases, result.Request)
	}
	return append(phases, result.Processing, result.Transfer)
}

// buckets are the kinds of buckets that a histogram shows: classic ones in every format, native ones in protocol
// buffers.
type buckets int

const (
	noBuckets buckets = iota
	classicBuckets
	bothBuckets
	nativeOnly
)

func (b buckets) classic() bool { return b == classicBuckets || b == bothBuckets }
func (b buckets) native() bool  { return b == nativeOnly || b == bothBuckets }

// The outcomes of a phase, as state.Counts has them.
const (
	succeeded = iota
	failed
)

// bucketsOf decides what the histogram of a phase shows. By itself a target has classic buckets for the time that the
// network takes and for the time that the server takes, of what succeeded; native buckets cost one series, so that
// nearly every phase has them: writing the request takes microseconds.
func bucketsOf(choice config.Histograms, phase result.Phase, outcome int) buckets {
	switch choice {
	case config.NoHistograms:
		return noBuckets
	case config.NativeHistograms:
		return nativeOnly
	case config.ClassicHistograms:
		return classicBuckets
	}
	switch {
	case phase == result.Request:
		return noBuckets
	case outcome == succeeded && (phase == result.Connect || phase == result.Processing):
		return bothBuckets
	default:
		return nativeOnly
	}
}

// addHistograms adds the histograms of the phases.
func (e *Exposition) addHistograms(c *state.Counts, choice config.Histograms) {
	for i, row := range result.Phases {
		for outcome, name := range [...]string{succeeded: "success", failed: "failure"} {
			h := c.Durations[i][outcome]
			kinds := bucketsOf(choice, row.Phase, outcome)
			if h == nil || h.Count() == 0 || kinds == noBuckets {
				continue
			}
			e.add("probe_phase_duration_seconds",
				"How long the phases of all attempts took, in seconds, by whether the phase succeeded.",
				dto.MetricType_HISTOGRAM, sample{histogram: h, buckets: kinds},
				label{"phase", string(row.Phase)}, label{"result", name})
		}
	}
}

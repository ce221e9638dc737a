// Package cause names the cause of a target's failures: a pure function from the digests of probes to a differential
// diagnosis. It is unknown rather than a guess.
//
//	digest.go, said.go    what is taken from a probe
//	fact*.go              facts: what the evidence shows, each with its sentence
//	table.go              the handbook: which fact requires, supports or excludes which cause
//	unknown.go            the party, and what would decide, where no cause is shown
//	diagnose.go           the engine: from the facts and the table to a verdict
package cause

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Cause is one word for why a target fails.
type Cause string

// Info returns the cause's row.
func (c Cause) Info() Info {
	i := slices.IndexFunc(Causes, func(row Info) bool { return row.Cause == c })
	if i < 0 {
		panic(fmt.Sprintf("cause: %q is not in the list", string(c)))
	}
	return Causes[i]
}

// Listed reports whether the cause is in the list. What another version wrote may not be.
func (c Cause) Listed() bool {
	return slices.ContainsFunc(Causes, func(row Info) bool { return row.Cause == c })
}

// Known is the verdict with the causes of the list alone, for one that another version wrote.
func (v *Verdict) Known() *Verdict {
	if v == nil {
		return nil
	}
	k := *v
	if !k.Cause.Listed() {
		k.Cause = Unknown
	}
	k.Open = slices.DeleteFunc(slices.Clone(v.Open), func(c Cause) bool { return !c.Listed() })
	k.RuledOut = slices.DeleteFunc(slices.Clone(v.RuledOut), func(out RuledOut) bool { return !out.Cause.Listed() })
	return &k
}

// Party is where to look, and whom to ask. It is named as soon as it is certain, also where the cause is not.
type Party string

// The parties.
const (
	Server       Party = "server"  // the API, and what its owner runs in front of it
	Path         Party = "path"    // the networks between
	Us           Party = "us"      // this host, its network, the module
	DNS          Party = "dns"     // the resolver or the zone
	Proxy        Party = "proxy"   // the proxy that the module uses
	UnknownParty Party = "unknown" // not to be said from the evidence
)

// Confidence is how sure a verdict is.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"   // right in at least 98 of 100 incidents
	Medium Confidence = "medium" // right in at least 85 of 100
	Low    Confidence = "low"    // a candidate, never shown as the cause
)

// level orders confidences.
func (c Confidence) level() int { return slices.Index([]Confidence{Low, Medium, High}, c) }

// raised is the confidence with so many supporting facts.
func (c Confidence) raised(by int) Confidence {
	return []Confidence{Low, Medium, High}[min(2, c.level()+by)]
}

// Verdict is a differential diagnosis: the cause as far as it is shown, and what is known of the others.
type Verdict struct {
	Cause      Cause      `json:"cause"`
	Party      Party      `json:"party"`
	Confidence Confidence `json:"confidence"`
	Evidence   []string   `json:"evidence"`
	RuledOut   []RuledOut `json:"ruled_out,omitempty"`
	Open       []Cause    `json:"open,omitempty"` // candidates that nothing excludes
	Next       []string   `json:"next,omitempty"` // what would decide, or whom to ask
	// Intercepted is whether experiments show that something near us answers in place of the server: the phase connect
	// measures that then. It is nil if none was made that can.
	Intercepted *bool `json:"intercepted,omitempty"`
}

// RuledOut is a cause that the failure would allow, and the evidence that excludes it.
type RuledOut struct {
	Cause Cause  `json:"cause"`
	By    string `json:"by"`
}

// Findings are what is known of why a probe failed.
type Findings struct {
	Verdict     *Verdict            // nil where there is none
	Experiments []result.Experiment // that were made after it
	Kernel      *counters.Around    // what the kernel counted meanwhile; nil where it was not read
}

// ExperimentText is what an experiment showed, in a line.
func ExperimentText(c *result.Experiment) string {
	text := string(c.Kind) + ": "
	switch {
	case c.Kind == result.PathTrace:
		return text + pathText(c.Hops)
	case c.Kind == result.ResetDistance:
		return text + distanceText(c)
	case c.Kind == result.NeverRouted || c.Kind == result.OneHop:
		return text + acceptedText(c)
	case c.Failure != nil:
		return text + "FAILED: " + c.Failure.Sentence() + map[result.Than]string{
			result.Alike: "; from as far away as the target's refusal", result.Nearer: "; from nearer than the target's " +
				"refusal", result.Farther: "; from farther away than the target's refusal"}[c.Than]
	}
	return text + "works"
}

// distanceText is from where the resets come, in a sentence.
func distanceText(c *result.Experiment) string {
	words := "resets"
	if c.RSTTTL != 0 {
		words = fmt.Sprintf("refusals (TTL %d)", c.RSTTTL)
	}
	switch c.Sender {
	case result.ThisHost:
		return fmt.Sprintf("the %s came from this host itself: they arrive over its loopback interface", words)
	case result.Middlebox:
		return fmt.Sprintf("the %s came from nearer than the server (more than its TTL of %d)", words, c.TTL)
	case result.EndHost:
		return fmt.Sprintf("the %s came from as far away as the server (its TTL of %d)", words, c.TTL)
	case result.Ambiguous:
		if c.TTL == 0 {
			return fmt.Sprintf("the %s came from the server or a middlebox: the server's own TTL is not known", words)
		}
		return fmt.Sprintf("the TTL of the %s and the server's (%d) cannot be compared", words, c.TTL)
	}
	return "it could not be measured from how far away the resets come"
}

func hopsText(n int) string {
	if n == 1 {
		return "1 hop"
	}
	return strconv.Itoa(n) + " hops"
}

// pathText is a path trace in a sentence.
func pathText(hops []result.PathHop) string {
	last := "no router answers"
	for i, hop := range hops {
		if hop.Reached {
			return "a SYN reaches the target after " + hopsText(i+1)
		}
		if hop.From.IsValid() {
			last = fmt.Sprintf("the last router that answers is %s, %s away", hop.From, hopsText(i+1))
		}
	}
	return last
}

// inRow is how many attempts in a row failed.
func (s *scene) inRow() string {
	text := strconv.Itoa(s.failed) + " attempts in a row failed"
	if s.run >= Remembered {
		return "at least " + text
	}
	return text
}

// shown is a duration as evidence shows it.
func shown(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return "less than 1ms"
}

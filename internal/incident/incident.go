// Package incident makes incidents of results: an incident is a run of failures of one configured target that enough
// successes in a row end. Everything here but Log is a pure function of values.
//
// Read incident.go first: what an incident is; seen.go is what is taken from a probe, application.go from the
// application's connections beside it, next.go how an incident develops with both, group.go which incidents have a
// cause in common, log.go the incidents that are remembered, query.go how they are found.
package incident

import (
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Schema is the version of an Incident's JSON. It rises when a field is removed or changes its meaning; fields may be
// added at any time.
const Schema = 1

// The bounds of one incident, however long it lasts and whatever servers send.
const (
	maxKinds       = 16
	maxAddresses   = 16
	maxJudgements  = 16 // the first keptJudgements and the newest of the others
	keptJudgements = 4
	maxExperiments = 20
	maxSentences   = 40  // of each list of a verdict
	maxCounters    = 40  // of the kernel's
	maxText        = 512 // bytes of each text
)

// Incident is a run of failures of one target. It is never changed: Next returns the next one.
type Incident struct {
	Schema int       `json:"schema"`
	ID     ulid.ULID `json:"id"` // that of its first record
	Target string    `json:"target"`
	Module string    `json:"module"`
	URL    string    `json:"url"` // secrets masked

	Begin time.Time `json:"begin"`          // when its first failed probe began
	End   time.Time `json:"end,omitzero"`   // when the first success of those that ended it began; zero while it lasts
	Ended Ending    `json:"ended,omitzero"` // empty while it lasts

	Attempts   int `json:"attempts"`             // probes from the first failure to the last one
	Failed     int `json:"failed"`               // of these
	Unreliable int `json:"unreliable,omitempty"` // of the failed ones: the exporter was late, and they may be its own

	Kinds          []Kind    `json:"kinds"`
	OtherKinds     int       `json:"other_kinds,omitempty"` // failures of more kinds than are listed
	Addresses      []Address `json:"addresses,omitempty"`
	OtherAddresses int       `json:"other_addresses,omitempty"` // attempts at more addresses than are listed

	// Verdict is the surest of the incident; of several that are as sure, the newest.
	Verdict    *cause.Verdict `json:"verdict,omitempty"`
	Judgements []Judgement    `json:"judgements,omitempty"` // how the verdict developed, the oldest first
	Judged     int            `json:"judged,omitempty"`     // how often it changed, with those that are not listed

	First       ulid.ULID `json:"first_record"` // of the first failure
	Last        ulid.ULID `json:"last_record"`  // of the last failure
	LastFailure time.Time `json:"last_failure"` // when its probe began
	LastProbe   time.Time `json:"last_probe"`   // when the last probe began, failed or not

	Experiments []Experiment      `json:"experiments,omitempty"`     // of the newest round after a failure
	Kernel      *counters.Changes `json:"kernel_counters,omitempty"` // around the newest failure for which they are known

	// Application is from the probe before the first failure to the success after the last one; nil where the
	// application's connections are not observed.
	Application *Application `json:"application,omitempty"`

	Recovering *Recovering `json:"recovering,omitempty"` // nil unless the last probe of an open incident succeeded
}

// Ending is why an incident is over.
type Ending string

// The endings.
const (
	Recovered  Ending = "recovered"  // successes ended it
	Unobserved Ending = "unobserved" // no probe was made for longestGap, or of another URL or module
)

// longestGap is for how long no probe may be made within an incident: nobody knows what was between two failures that
// are further apart. A restart is shorter, and Prometheus itself forgets a series after five minutes.
const longestGap = time.Hour

// Kind is the failures of an incident that are alike: in phase, reason, errno, origin and HTTP status.
type Kind struct {
	Phase    result.Phase  `json:"phase"`
	Reason   result.Reason `json:"reason"`
	Errno    string        `json:"errno"`
	Origin   result.Origin `json:"origin"`
	Status   int           `json:"status,omitempty"` // of HTTP; 0 without a response
	Sentence string        `json:"sentence"`         // of the first of them
	Count    int           `json:"count"`
	Record   ulid.ULID     `json:"record"` // of the first of them
	First    time.Time     `json:"first"`
	Last     time.Time     `json:"last"`
}

// Address is what became of the attempts at one address.
type Address struct {
	Address   string `json:"address"`
	Failed    int    `json:"failed"`
	Succeeded int    `json:"succeeded"`
}

// Judgement is the verdict of a time.
type Judgement struct {
	At         time.Time        `json:"at"`
	Cause      cause.Cause      `json:"cause"`
	Party      cause.Party      `json:"party"`
	Confidence cause.Confidence `json:"confidence"`
}

// Experiment is an experiment after a failure.
type Experiment struct {
	Kind result.ExperimentKind `json:"kind"`
	Text string                `json:"text"`
}

// Recovering is the successes after the last failure.
type Recovering struct {
	Since     time.Time `json:"since"` // when the first of them began
	Successes int       `json:"successes"`

	// Application is what followed the first of them: it is the incident's if another failure follows.
	Application *Application `json:"application,omitempty"`
}

// Open reports whether the incident lasts.
func (i *Incident) Open() bool { return i.Ended == "" }

// Main is the kind that most of the failures are of; of several, the first.
func (i *Incident) Main() *Kind {
	main := &i.Kinds[0]
	for n := range i.Kinds {
		if i.Kinds[n].Count > main.Count {
			main = &i.Kinds[n]
		}
	}
	return main
}

// GoesOn reports whether the incident differs from what it was before, nil if it began, in nothing but counts, times,
// the last record, the kernel's newest counters and a verdict's words.
func (i *Incident) GoesOn(before *Incident) bool {
	return before != nil && before.Ended == i.Ended && len(before.Kinds) == len(i.Kinds) &&
		len(before.Addresses) == len(i.Addresses) && before.Judged == i.Judged &&
		slices.Equal(before.Experiments, i.Experiments) && (before.Kernel == nil) == (i.Kernel == nil) &&
		(before.Recovering == nil) == (i.Recovering == nil)
}

// Duration is how long the incident lasted, or lasts at a time.
func (i *Incident) Duration(now time.Time) time.Duration {
	if i.Open() {
		return max(0, now.Sub(i.Begin))
	}
	return i.End.Sub(i.Begin)
}

// Cause is the verdict's cause; empty without a verdict.
func (i *Incident) Cause() cause.Cause {
	if i.Verdict == nil {
		return ""
	}
	return i.Verdict.Cause
}

// Size is about how many bytes of memory the incident takes.
func (i *Incident) Size() int {
	n := 1<<10 + len(i.Target) + len(i.Module) + len(i.URL)
	for k := range i.Kinds {
		n += 256 + len(i.Kinds[k].Sentence)
	}
	n += 96*len(i.Addresses) + 96*len(i.Judgements)
	for e := range i.Experiments {
		n += 32 + len(i.Experiments[e].Text)
	}
	if i.Kernel != nil {
		n += 48 * len(i.Kernel.Changed)
	}
	if i.Application != nil {
		n += 64 + (128+16*len(idleBounds))*len(i.Application.Ends)
	}
	if v := i.Verdict; v != nil {
		n += 256 + 16*len(v.Open)
		for _, text := range v.Evidence {
			n += 16 + len(text)
		}
		for _, out := range v.RuledOut {
			n += 32 + len(out.By)
		}
		for _, text := range v.Next {
			n += 16 + len(text)
		}
	}
	return n
}

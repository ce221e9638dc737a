package web

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/common/version"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/record"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

//go:embed templates static
var files embed.FS

// statusPage is the page at /.
var statusPage = template.Must(template.ParseFS(files, "templates/status.html"))

// status is the content of the page at /, also in JSON.
type status struct {
	Version   string         `json:"version"`
	Time      time.Time      `json:"time"`
	Targets   int            `json:"targets"` // configured
	Failing   int            `json:"failing"`
	Shard     string         `json:"shard,omitempty"`         // I/N, empty if the targets are not divided
	Others    int            `json:"other_targets,omitempty"` // that belong to other shards
	Problems  []string       `json:"problems"`                // of the exporter itself
	Shown     []targetStatus `json:"shown"`                   // those that were asked for
	Query     string         `json:"-"`
	OnlyBad   bool           `json:"-"`
	Modules   []string       `json:"-"`
	Default   string         `json:"-"`
	Pprof     bool           `json:"-"`
	Lifecycle bool           `json:"-"`
}

// targetStatus is what there is to say of one target.
type targetStatus struct {
	Name     string         `json:"name"`
	URL      string         `json:"url"`
	Module   string         `json:"module"`
	Labels   []config.Label `json:"labels,omitempty"`
	State    string         `json:"state"` // ok, failing or unknown
	Since    *time.Time     `json:"since,omitempty"`
	Reliable bool           `json:"reliable"`
	Duration float64        `json:"duration_seconds"`
	Failure  *failureStatus `json:"last_failure,omitempty"`
	Cause    *causeStatus   `json:"cause,omitempty"`
	Hour     shareStatus    `json:"hour"`
	Day      shareStatus    `json:"day"`
	All      shareStatus    `json:"since_start"`
	Phases   []phaseStatus  `json:"phases,omitempty"`
	Ticks    []tickStatus   `json:"results,omitempty"`
	// Application is nil where the application's connections are not observed.
	Application *applicationStatus `json:"application,omitempty"`

	SinceText   string       `json:"-"`
	Sparkline   string       `json:"-"` // points of a polyline
	OKPath      string       `json:"-"` // ticks without a record: of successes
	BadPath     string       `json:"-"` // and of failures
	Links       []tickStatus `json:"-"` // ticks with a record
	SlowestText string       `json:"-"` // of the ticks
}

// failureStatus is a failure, and when it was.
type failureStatus struct {
	Time time.Time `json:"time"`
	record.Failure
	Record ulid.ULID `json:"record,omitzero"`
	Ago    string    `json:"-"`
}

// causeStatus is the verdict, with what to do.
type causeStatus struct {
	*cause.Verdict
	Sentence string `json:"sentence"`
	Advice   string `json:"advice"`
}

func toCause(v *cause.Verdict) *causeStatus {
	if v == nil {
		return nil
	}
	return &causeStatus{v, v.Cause.Info().Sentence, v.Cause.Info().Advice}
}

type shareStatus struct {
	Succeeded uint64 `json:"succeeded"`
	Probes    uint64 `json:"probes"`
}

// Text is the share in percent; of no probes it is a dash. What is not quite 100 is never shown as 100.
func (s shareStatus) Text() string {
	switch {
	case s.Probes == 0:
		return "–"
	case s.Succeeded == s.Probes:
		return "100 %"
	}
	return fmt.Sprintf("%.1f %%", min(99.9, 100*float64(s.Succeeded)/float64(s.Probes)))
}

// phaseStatus is a phase of the last probe, and its position in a bar of 1000 units.
type phaseStatus struct {
	Phase    result.Phase `json:"phase"`
	Duration float64      `json:"duration_seconds"`
	Failed   bool         `json:"failed,omitempty"`
	Text     string       `json:"-"`
	X, Width float64      `json:"-"`
}

// tickStatus is one of the last results, and its position.
type tickStatus struct {
	Record  ulid.ULID `json:"record,omitzero"` // zero: its record is no longer kept
	Time    time.Time `json:"time"`
	OK      bool      `json:"ok"`
	Seconds float64   `json:"duration_seconds"`
	Reason  string    `json:"reason,omitempty"`
	Title   string    `json:"-"`
	X       int       `json:"-"`
}

// status answers /: human-readable, or with format=json or by Accept in JSON.
func (e *Endpoints) status(w http.ResponseWriter, r *http.Request) {
	s := e.statusOf(r)
	if r.URL.Query().Get("format") == "json" || strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(s) // fails only if the client is gone
		return
	}
	_ = statusPage.Execute(page(w), s) // fails only if the client is gone
}

func (e *Endpoints) statusOf(r *http.Request) status {
	c, query, targets := e.Probe.Config.Get(), r.URL.Query(), e.Probe.Watch.Status()
	now := time.Now()
	s := status{
		Version: cmp.Or(version.Version, "unversioned"), Time: now.UTC().Truncate(time.Second),
		Problems: e.problems(targets), Shown: []targetStatus{},
		Query: query.Get("q"), OnlyBad: query.Get("failing") != "", Modules: slices.Sorted(maps.Keys(c.Modules)),
		Default: defaultModule,
		Pprof:   e.Pprof, Lifecycle: e.Life.Enabled,
	}
	if c.Shard.Divides() {
		s.Shard, s.Others = c.Shard.String(), len(c.OtherTargets)
	}
	for _, t := range targets {
		s.Targets++
		bad := t.Last != nil && t.Last.Result.Failure != nil
		if bad {
			s.Failing++
		}
		if matches(t.Target, s.Query) && (bad || !s.OnlyBad) {
			s.Shown = append(s.Shown, e.targetStatus(&t, now))
		}
	}
	// failing, ok, unknown
	slices.SortStableFunc(s.Shown, func(a, b targetStatus) int { return strings.Compare(a.State, b.State) })
	return s
}

// The size of the picture of the last results.
const (
	tickStep        = 8
	sparklineHeight = 24
)

// problems are those of the exporter itself, each in a sentence.
func (e *Endpoints) problems(targets []watch.Status) []string {
	problems := []string{}
	if err := e.Life.Failed(); err != nil {
		problems = append(problems, "The last reload of the configuration failed, the previous one stays in "+
			"force: "+err.Error())
	}
	switch egress := e.Probe.Watch.Egress(); {
	case !egress.Down():
	case egress.Known:
		problems = append(problems, "Our own egress is down: no reference target is reachable.")
	default:
		problems = append(problems, fmt.Sprintf("Our own egress may be down: %d of %d targets, in several networks, "+
			"are out of reach.",
			egress.OutOfReach, egress.Targets))
	}
	late := 0
	for _, t := range targets {
		if t.Last != nil && !t.Last.Reliable {
			late++
		}
	}
	if late > 0 {
		problems = append(problems, fmt.Sprintf("The exporter was overloaded during the last probe of %d targets: "+
			"their durations are too long.", late))
	}
	return problems
}

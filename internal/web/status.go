package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/common/version"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// statusSchema is the version of the status page's JSON. Fields are added without a new one.
const statusSchema = 1

// status is the content of the page at / in JSON.
type status struct {
	Schema    int            `json:"schema"`
	Version   string         `json:"version"`
	Time      time.Time      `json:"time"`
	At        *time.Time     `json:"at,omitempty"` // that was asked for, where it was not now
	Targets   int            `json:"targets"`      // configured
	Failing   int            `json:"failing"`
	Degraded  int            `json:"degraded"`                // whose last probe succeeded although something fails
	Unprobed  int            `json:"unprobed"`                // that were never probed
	Unscraped bool           `json:"unscraped"`               // nothing has probed any target yet
	Shard     string         `json:"shard,omitempty"`         // I/N, empty if the targets are not divided
	Others    int            `json:"other_targets,omitempty"` // that belong to other shards
	Problems  []string       `json:"problems"`                // of the exporter itself
	Shown     []targetStatus `json:"shown"`                   // those that were asked for
}

// targetStatus is what there is to say of one target.
type targetStatus struct {
	Name     string         `json:"name"`
	URL      string         `json:"url"`
	Module   string         `json:"module"`
	Labels   []config.Label `json:"labels,omitempty"`
	State    state.State    `json:"state"`
	Since    *time.Time     `json:"since,omitempty"`
	Warnings []string       `json:"warnings,omitempty"` // what fails although the last probe succeeded
	Reliable bool           `json:"reliable"`
	Duration float64        `json:"duration_seconds"`
	Failure  *failureStatus `json:"last_failure,omitempty"`
	Cause    *causeStatus   `json:"cause,omitempty"`
	Hour     shareStatus    `json:"hour"`
	Day      shareStatus    `json:"day"`
	Month    shareStatus    `json:"month"` // of 30 days
	Known    *time.Time     `json:"known_since,omitempty"`
	Incident ulid.ULID      `json:"incident,omitzero"`     // that it has
	P50      float64        `json:"p50_seconds,omitempty"` // of the results that succeeded
	P95      float64        `json:"p95_seconds,omitempty"`
	All      shareStatus    `json:"since_start"`
	Phases   []phaseStatus  `json:"phases,omitempty"`
	Ticks    []tickStatus   `json:"results,omitempty"`
	// Application is nil where the application's connections are not observed.
	Application *applicationStatus `json:"application,omitempty"`
}

// failureStatus is a failure, and when it was.
type failureStatus struct {
	Time time.Time `json:"time"`
	record.Failure
	Record ulid.ULID `json:"record,omitzero"`
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

// Deciding is what would decide between causes; the advice on a cause that is shown is not among it.
func (s *causeStatus) Deciding() []string {
	return slices.DeleteFunc(slices.Clone(s.Next), func(text string) bool { return text == s.Advice })
}

type shareStatus struct {
	Succeeded uint64 `json:"succeeded"`
	Probes    uint64 `json:"probes"`
}

// fraction is the share; of no probes it is more than 1.
func (s shareStatus) fraction() float64 {
	if s.Probes == 0 {
		return 2
	}
	return float64(s.Succeeded) / float64(s.Probes)
}

// Text is the share in percent; of no probes it is a dash. What is not quite 100 is never shown as 100.
func (s shareStatus) Text() string {
	switch {
	case s.Probes == 0:
		return "–"
	case s.Succeeded == s.Probes:
		return "100 %"
	}
	return fmt.Sprintf("%.1f %%", min(99.9, 100*s.fraction()))
}

// phaseStatus is a phase of the last probe.
type phaseStatus struct {
	Phase    result.Phase `json:"phase"`
	Duration float64      `json:"duration_seconds"`
	Failed   bool         `json:"failed,omitempty"`
}

// tickStatus is one of the last results.
type tickStatus struct {
	Record  ulid.ULID `json:"record,omitzero"` // zero: its record is no longer kept
	Time    time.Time `json:"time"`
	OK      bool      `json:"ok"`
	Seconds float64   `json:"duration_seconds"`
	Reason  string    `json:"reason,omitempty"`
}

// status answers /: human-readable, or with format=json or by Accept in JSON.
func (e *Endpoints) status(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	q, err := parseStatusQuery(r.URL.Query(), e.Probe.Config.Get(), now)
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	asJSON := strings.HasPrefix(r.Header.Get("Accept"), "application/json")
	s, shown := e.statusOf(&q, now)
	if q.Format == "json" || q.Format == "" && asJSON {
		for i := range shown {
			s.Shown = append(s.Shown, e.targetStatus(&shown[i]))
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(escape.NewWriter(w)).Encode(s) // fails only if the client is gone
		return
	}
	_ = statusTemplate.Execute(page(w), e.statusPage(r, &q, &s, shown)) // as above
}

// statusOf is the summary, and the targets that are asked for in their order.
func (e *Endpoints) statusOf(q *statusQuery, now time.Time) (status, []seen) {
	c := e.Probe.Config.Get()
	s := status{Schema: statusSchema, Version: cmp.Or(version.Version, "unversioned"),
		Time: now.UTC().Truncate(time.Second), Problems: []string{}, Shown: []targetStatus{}}
	if c.Shard.Divides() {
		s.Shard, s.Others = c.Shard.String(), len(c.OtherTargets)
	}
	if q.At.IsZero() {
		targets := e.Probe.Watch.Status()
		s.Problems = e.problems(targets, now)
		return s, s.choose(q, &moment{now, targets, e.incidentsAt(now)})
	}
	at := q.At.UTC()
	s.At = &at
	return s, s.choose(q, &moment{at, e.Probe.Watch.StatusAt(at), e.lastedAt(at)})
}

// moment is what is known of all targets at a time.
type moment struct {
	at        time.Time
	targets   []watch.Status
	incidents map[string]*incident.Incident // that lasted then, by their targets
}

// incidentsAt are the incidents that lasted at a time.
func (e *Endpoints) incidentsAt(at time.Time) map[string]*incident.Incident {
	by := map[string]*incident.Incident{}
	for _, i := range e.Incidents.List(incident.Query{Since: at, Until: at.Add(1)}) {
		if i.Open() || i.End.After(at) {
			by[i.Target] = i
		}
	}
	return by
}

// lastedAt are incidentsAt with those that are in the store alone: they are too old, or too many for memory.
func (e *Endpoints) lastedAt(at time.Time) map[string]*incident.Incident {
	by := e.incidentsAt(at)
	for _, i := range e.Archive.Lasted(at) {
		if by[i.Target] == nil && e.Incidents.Get(i.ID) == nil {
			by[i.Target] = i
		}
	}
	return by
}

// choose counts the targets, and returns those that are asked for in their order.
func (s *status) choose(q *statusQuery, m *moment) []seen {
	var shown []seen
	for i := range m.targets {
		t := see(&m.targets[i], m.at)
		if during := m.incidents[t.Target.Name]; during != nil {
			t.Incident = during.ID
			if s.At != nil {
				t.recall(during, m.at)
			}
		}
		s.add(t.State)
		if q.shows(&t) {
			shown = append(shown, t)
		}
	}
	s.Unscraped = s.Targets > 0 && s.Unprobed == s.Targets && q.At.IsZero()
	q.sorted(shown)
	return shown
}

// add counts a target of a state.
func (s *status) add(state string) {
	s.Targets++
	switch state {
	case "failing":
		s.Failing++
	case degraded:
		s.Degraded++
	case "unknown":
		s.Unprobed++
	}
}

// staleAfter is how old the newest result is where nothing scrapes any more: nobody scrapes less often.
const staleAfter = 10 * time.Minute

// problems are those of the exporter itself, each in a sentence.
func (e *Endpoints) problems(targets []watch.Status, now time.Time) []string {
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
	late, newest := 0, time.Time{}
	for _, t := range targets {
		if t.Last == nil {
			continue
		}
		if !t.Last.Reliable {
			late++
		}
		if t.Last.Ended.After(newest) {
			newest = t.Last.Ended
		}
	}
	if age := now.Sub(newest); !newest.IsZero() && age > max(staleAfter, 2*e.Probe.Watch.Interval()) {
		problems = append(problems, fmt.Sprintf("The last probe of any target was %s ago: nothing scrapes /metrics any "+
			"more.", record.Long(age)))
	}
	if late > 0 {
		problems = append(problems, fmt.Sprintf("The exporter was overloaded during the last probe of %s: the "+
			"durations may be too long.", targetCount(late)))
	}
	return problems
}

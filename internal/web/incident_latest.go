package web

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"errno_exporter/internal/incident"
	"errno_exporter/prober/module"
)

// The address of a target's incident without its ID, which alerts and dashboards do not know.

var noIncidentTemplate = template.Must(template.ParseFS(files, "templates/no_incident.html"))

// latestParameters are those of /incidents/latest.
var latestParameters = []string{"target", "at"}

// sampleReach is how long after a time an incident may begin to be meant by it: a sample has the time of its scrape,
// and the probe that failed begins later.
const sampleReach = time.Minute

// latestIncident answers /incidents/latest: it leads to the incident of a target that lasted at a time, or else to the
// last one that began before it. Without a time that is the open one or the last.
func (e *Endpoints) latestIncident(w http.ResponseWriter, r *http.Request) {
	query, now := r.URL.Query(), time.Now()
	for name := range query {
		if !slices.Contains(latestParameters, name) {
			refuse(w, fmt.Sprintf("parameter %q is unknown, want one of %s", module.Shortened(name),
				strings.Join(latestParameters, ", ")), http.StatusBadRequest)
			return
		}
	}
	name := query.Get("target")
	if name == "" {
		refuse(w, "target is missing: name a configured target", http.StatusBadRequest)
		return
	}
	at, err := parseInstant(query.Get("at"), now)
	if err != nil {
		refuse(w, "at "+err.Error(), http.StatusBadRequest)
		return
	}
	if i := incidentAt(e.Incidents.List(incident.Query{Target: name}), at); i != nil {
		moved(w, i.ID.String())
		return
	}
	to := page(w)
	w.WriteHeader(http.StatusNotFound)
	_ = noIncidentTemplate.Execute(to, noIncident{Target: name, At: at, // fails only if the client is gone
		Path: targetPath(name), Configured: e.Probe.Config.Get().Find(name) != nil})
}

// noIncident says that a target has none.
type noIncident struct {
	Target     string
	At         time.Time // zero for any time
	Path       string    // of the target's page
	Configured bool
}

// incidentAt is, of a target's incidents, the newest first, the one that lasted at a time, else the last that began
// before it; nil if there is none. The zero time is now.
func incidentAt(newest []*incident.Incident, at time.Time) *incident.Incident {
	if at.IsZero() {
		newest = newest[:min(1, len(newest))]
	}
	var soon *incident.Incident // the one that begins right after it
	for _, i := range newest {
		switch {
		case at.IsZero(), !i.Begin.After(at) && (i.Open() || !i.End.Before(at)):
			return i
		case i.Begin.After(at.Add(sampleReach)):
		case i.Begin.After(at):
			soon = i
		case soon != nil:
			return soon
		default:
			return i
		}
	}
	return soon
}

// parseInstant is parseTime, which also takes Unix times: in seconds, as Prometheus has them, or in milliseconds, as
// Grafana has.
func parseInstant(text string, now time.Time) (time.Time, error) {
	const seconds = 1e11 // less than so many are seconds: the year 5138
	unix, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(unix) || unix < 0 || unix >= seconds*1000:
		return parseTime(text, now)
	case unix >= seconds:
		return time.UnixMilli(int64(unix)), nil
	default:
		return time.Unix(0, int64(unix*1e9)), nil
	}
}

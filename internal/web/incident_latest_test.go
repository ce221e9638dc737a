package web

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/prober"
)

// Of the incidents of "z", from 11:00 to 11:10, from 12:00 to 12:12 and from 12:12:30 on, and of the others, which one
// a time leads to.
func TestLatestIncident(t *testing.T) {
	c, err := config.Parse([]byte(labModule()+"targets: [{name: calm, url: \"http://127.0.0.1:1/\", module: other}]\n"),
		"test", ".")
	if err != nil {
		t.Fatal(err)
	}
	s := serveEndpoints(t, c, slog.New(slog.DiscardHandler), prober.Options{})
	older, middle, newer := *remembered()[1], *remembered()[1], *remembered()[1]
	older.Target, middle.Target, newer.Target, middle.ID = "z", "z", "z", ulid.ULID{15: 11}
	older.ID, older.Begin, older.End = ulid.ULID{15: 10}, noon.Add(-time.Hour), noon.Add(-50*time.Minute)
	newer.ID, newer.Begin, newer.End, newer.Ended = ulid.ULID{15: 12}, noon.Add(12*time.Minute+30*time.Second), time.Time{}, ""
	s.endpoints.Incidents.Fill(append(remembered(), &older, &middle, &newer))
	none := "<p>No incident of <strong>"
	for _, row := range []struct {
		query string
		want  byte   // of the incident's ID
		text  string // where there is none
	}{
		{"target=z", 12, ""},
		{"target=b", 3, ""},
		{"target=mail%2F4", 4, ""},
		{"target=z&at=2026-11-21T12:05:00Z", 11, ""},
		{"target=z&at=2026-11-21T12:12:10Z", 12, ""}, // a scrape whose probe fails 20 s later
		{"target=z&at=2026-11-21T12:12:00Z", 11, ""}, // the end belongs to it
		{"target=z&at=2026-11-21T13:00:00Z", 12, ""},
		{"target=z&at=2026-11-21T11:30Z", 10, ""}, // between two: an alert that still fires
		{"target=z&at=2026-11-21T11:59:30Z", 11, ""},
		{"target=z&at=1795262700", 11, ""},    // 12:05:00, as Prometheus' time()
		{"target=z&at=1795262700.25", 11, ""}, // the same with a fraction
		{"target=z&at=1795262700000", 11, ""}, // and as Grafana's ${__value.time}
		{"target=z&at=2026-11-21T10:00:00Z", 0, none + "z</strong> that began before 2026-11-21 10:00:00 UTC is remembered: no " +
			"target of this name is configured, nor was one when an incident was noted."},
		{"target=calm", 0, none + "calm</strong> is remembered: none of its probes failed since the exporter started, or the " +
			"incident was too long ago to be kept. Its page has its last results."},
		{"target=calm", 0, `<a href="../targets/calm">this target</a>`},
		{"target=%3Cscript%3E%1b", 0, "&lt;script&gt;"},
		{"", 0, "target is missing: name a configured target"},
		{"target=a&at=yesterday", 0, `at "yesterday" is no time, want one such as 2026-11-21T03:12:00Z, or 1h for an hour ago`},
		{"target=a&at=NaN", 0, `at "NaN" is no time`},
		{"target=a&at=1e300", 0, `at "1e300" is no time`},
		{"target=a&x=1", 0, `parameter "x" is unknown, want one of target, at`},
	} {
		got := ask(t, http.MethodGet, s.server.URL+"/incidents/latest?"+row.query, nil)
		want, text := http.StatusOK, ", incident "+(ulid.ULID{15: row.want}).String()+","
		switch {
		case strings.HasPrefix(row.text, none), strings.HasPrefix(row.text, "<"), strings.HasPrefix(row.text, "&"):
			want, text = http.StatusNotFound, row.text
			checkPage(t, got.Body)
		case row.want == 0:
			want, text = http.StatusBadRequest, row.text
		}
		if got.Status != want || !strings.Contains(got.Body, text) || strings.Contains(got.Body, "\x1b") {
			t.Errorf("%s: %d, want %d with %q:\n%s", row.query, got.Status, want, text, got.Body)
		}
	}
}

package web

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/prober"
)

// The feed is Atom that a reader can parse; an incident's ID stays the same, and what it is is updated when it ends.
func TestIncidentFeed(t *testing.T) {
	address := serveRemembered(t)
	var f atomFeed
	got := ask(t, http.MethodGet, address+"/incidents.atom?cause=not_listening", nil)
	if err := xml.Unmarshal([]byte(got.Body), &f); err != nil || got.ContentType != "application/atom+xml; charset=utf-8" {
		t.Fatalf("%s: %v\n%s", got.ContentType, err, got.Body)
	}
	var entries []string
	for _, e := range f.Entries {
		entries = append(entries, fmt.Sprint(e.ID, " ", e.Title, " ", e.Published, " ", e.Updated, " ", e.Links, " ", e.Category.Term))
	}
	const urn = "urn:uuid:00000000-0000-0000-0000-00000000000"
	entry := func(n byte, title, times string) string {
		return fmt.Sprintf("%s%d %s: connection refused (ECONNREFUSED) %s [{alternate text/html %s/incidents/%s}] not_listening",
			urn, n, title, times, address, id(n))
	}
	if diff := cmp.Diff([]string{entry(4, "mail/4", "2026-11-21T12:02:00Z 2026-11-21T12:02:00Z"),
		entry(3, "b", "2026-11-21T12:01:00Z 2026-11-21T12:13:00Z"),
		entry(2, "a", "2026-11-21T12:00:00Z 2026-11-21T12:12:00Z")}, entries); diff != "" ||
		f.Updated != "2026-11-21T12:13:00Z" || f.ID != address+"/incidents.atom?cause=not_listening" || f.Title == "" ||
		f.Author == "" {
		t.Errorf("%+v (-want +got):\n%s", f, diff)
	}
	all := ask(t, http.MethodGet, address+"/incidents.atom", nil).Body
	if err := xml.Unmarshal([]byte(all), &f); err != nil || strings.ContainsAny(all, "\x1b\u202e") || strings.Contains(all, "<script") {
		t.Errorf("with hostile texts: %v\n%s", err, all)
	}
}

// However many incidents are remembered, a list has the newest of them.
func TestListsOfIncidentsAreBounded(t *testing.T) {
	made, many := remembered()[1], []*incident.Incident{}
	for n := range mostListedIncidents + 5 {
		one := *made
		one.ID, one.Target = ulid.ULID{14: byte(n >> 8), 15: byte(n + 1)}, fmt.Sprint("target-", n)
		many = append(many, &one)
	}
	c, err := config.Parse([]byte(labModule()), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	s := serveEndpoints(t, c, slog.New(slog.DiscardHandler), prober.Options{})
	s.endpoints.Incidents.Fill(many)
	for _, row := range []struct {
		query   string
		listed  int
		limited bool
	}{{"", listedIncidents, true}, {"&limit=7", 7, true}, {"&limit=1000", mostListedIncidents, true},
		{"&target=target-3", 1, false}} {
		var l incidentList
		got := ask(t, http.MethodGet, s.server.URL+"/incidents?format=json"+row.query, nil)
		if err := json.Unmarshal([]byte(got.Body), &l); err != nil || l.Listed != row.listed || l.Limited != row.limited {
			t.Errorf("%s: %v, %d listed, limited %t, want %+v", row.query, err, l.Listed, l.Limited, row)
		}
	}
	if n := strings.Count(ask(t, http.MethodGet, s.server.URL+"/incidents.atom", nil).Body, "<entry>"); n != feedEntries {
		t.Errorf("the feed has %d entries, want %d", n, feedEntries)
	}
	claims.Prove(t, "incidents in an answer", mostListedIncidents, listedIncidents, feedEntries)
}

// BenchmarkIncidents renders lists and pages with 10,000 incidents remembered.
func BenchmarkIncidents(b *testing.B) {
	log := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}})
	var many []*incident.Incident
	for n := range 10_000 {
		one := *remembered()[1]
		one.ID, one.Target = ulid.ULID{13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}, fmt.Sprint("target-", n%200)
		one.ID[12] = 1
		one.Begin = noon.Add(time.Duration(n) * time.Minute)
		one.End = one.Begin.Add(30 * time.Second)
		many = append(many, &one)
	}
	log.Fill(many)
	e := &Endpoints{Probe: &ProbeHandler{Config: config.NewCurrent(config.Default())}, History: history.New(2), Incidents: log}
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		path   string
	}{
		{"list", e.listIncidents, "/incidents"}, {"long list", e.listIncidents, "/incidents?limit=1000"},
		{"page", e.showIncident, "/incidents/" + many[5000].ID.String()}, {"feed", e.feed, "/incidents.atom"},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, row.path, nil)
				r.SetPathValue("id", many[5000].ID.String())
				w := httptest.NewRecorder()
				if row.answer(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

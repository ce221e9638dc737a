package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
)

// An earlier moment has the results until then, and neither refreshes nor says what is so only now.
func TestStatusAt(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: a, url: %q, module: api}]\n",
		faultlab.ResetAfterRequest(t)))
	before := time.Now().UTC()
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	for _, row := range []struct {
		at    string
		state state.State
		ticks int
		word  string // of the line
	}{
		{"", "failing", 1, "<td>failing for "},
		{"0s", "failing", 1, "<td>failing for "},
		{before.Format(time.RFC3339Nano), "unknown", 0, "<td>not known<td>"},
		{"1h", "unknown", 0, "<td>not known<td>"},
	} {
		s := ofStatus(t, server.URL, "&at="+url.QueryEscape(row.at))
		if got := s.Shown[0]; got.State != row.state || len(got.Ticks) != row.ticks || (s.At == nil) != (row.at == "") {
			t.Errorf("at=%s: %s, %d results, at %v, want %s, %d", row.at, got.State, len(got.Ticks), s.At, row.state, row.ticks)
		}
		page := ask(t, http.MethodGet, server.URL+"/?at="+url.QueryEscape(row.at), nil).Body
		if refreshes := strings.Contains(page, "refresh.js"); refreshes != (row.at == "") ||
			strings.Contains(page, "As it was at <time") == (row.at == "") || !strings.Contains(page, row.word) {
			t.Errorf("at=%s: refreshes: %t; want %q in\n%s", row.at, refreshes, row.word, page)
		}
	}
}

// What the timeline no longer knows, an incident may: the state, since when, the failure and the cause of that time.
func TestStatusAtRecallsIncidents(t *testing.T) {
	begin := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	id := ulid.ULID{1: 7}
	during := &incident.Incident{ID: id, Target: "payments", Begin: begin, End: begin.Add(time.Hour), Ended: incident.Recovered,
		Kinds: []incident.Kind{
			{Phase: "connect", Reason: "tcp.refused", Errno: "ECONNREFUSED", Sentence: "refused", First: begin, Record: id},
			{Phase: "processing", Reason: "tcp.reset", Errno: "ECONNRESET", Sentence: "reset", First: begin.Add(30 * time.Minute)}},
		Judgements: []incident.Judgement{
			{At: begin.Add(time.Minute), Cause: cause.NotListening, Party: cause.Server, Confidence: cause.Medium},
			{At: begin.Add(40 * time.Minute), Cause: cause.ServerAborts, Party: cause.Server, Confidence: cause.High}}}
	log := incident.NewLog(incident.Options{})
	log.Fill([]*incident.Incident{during})
	u := &url.URL{Scheme: "http", Host: "payments.example.com"}
	e := &Endpoints{Incidents: log, Life: new(Lifecycle), History: history.New(0), Probe: &ProbeHandler{
		Config: config.NewCurrent(&config.Config{Modules: map[string]*module.Module{"m": module.New("m")}})}}
	for _, row := range []struct {
		after       time.Duration
		line, cause string
	}{
		{-time.Second, "unknown", ""},
		{0, "failing since 03:00 refused", ""},
		{12 * time.Minute, "failing since 03:00 refused", "Nothing listens at the port. Party: the server (medium confidence)."},
		{45 * time.Minute, "failing since 03:00 reset", "The server ends connections without a complete answer. Party: the " +
			"server (high confidence)."},
		{time.Hour, "unknown", ""},
	} {
		at := begin.Add(row.after)
		q, s := &statusQuery{Sort: "state", Group: byCause, At: at}, &status{At: &at}
		shown := s.choose(q, &moment{at, []watch.Status{{Timeline: new(state.Timeline).At(at),
			Target: &config.Target{Name: "payments", URL: u, Module: module.New("m")}}}, e.incidentsAt(at)})
		got := e.targetStatus(&shown[0])
		line := string(got.State)
		if got.Since != nil {
			line += " since " + got.Since.Format("15:04")
		}
		if got.Failure != nil {
			line += " " + got.Failure.Sentence
		}
		if text := causeText(shown[0].Verdict); line != row.line || text != row.cause {
			t.Errorf("after %s: %s, %q, want %s, %q", row.after, line, text, row.line, row.cause)
		}
		var b strings.Builder
		page := e.statusPage(httptest.NewRequest(http.MethodGet, "/", nil), q, s, shown)
		if err := statusTemplate.Execute(&b, page); err != nil {
			t.Fatal(err)
		}
		if link := strings.Contains(b.String(), `<a href="incidents/`+id.String()); link != (row.line != "unknown") {
			t.Errorf("after %s: a link to the incident: %t", row.after, link)
		}
	}
}

package web

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/observe"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// noon is when the incidents of tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// remembered are incidents as a store has them: three at one network within five minutes, of which one is open, and an
// older one with another cause whose texts are hostile.
func remembered() []*incident.Incident {
	const attack = "<script>alert(1)</script>\x1b[31m\u202e"
	made := func(n byte, name string, begin time.Duration) *incident.Incident {
		id, at := ulid.ULID{15: n}, noon.Add(begin)
		return &incident.Incident{Schema: incident.Schema, ID: id, Target: name, Module: "api", URL: "https://api.example.com/",
			Begin: at, End: at.Add(12 * time.Minute), Ended: incident.Recovered, Attempts: 48, Failed: 45,
			Kinds: []incident.Kind{{Phase: result.Connect, Reason: result.TCPRefused, Errno: "ECONNREFUSED",
				Origin: result.Peer, Sentence: "connection refused (ECONNREFUSED)", Count: 45, Record: id, First: at,
				Last: at.Add(10 * time.Minute)}},
			Addresses: []incident.Address{{Address: fmt.Sprintf("192.0.2.%d:443", n), Failed: 45, Succeeded: 3}},
			Verdict: &cause.Verdict{Cause: cause.NotListening, Party: cause.Server, Confidence: cause.High,
				Evidence: []string{"45 SYNs were answered with a RST"},
				RuledOut: []cause.RuledOut{{Cause: cause.ServerAborts, By: "no connection came about"}},
				Next:     []string{"look at the server's process"}},
			Judgements: []incident.Judgement{{At: at, Cause: cause.Unknown, Party: cause.Server, Confidence: cause.Low},
				{At: at.Add(time.Minute), Cause: cause.NotListening, Party: cause.Server, Confidence: cause.High}},
			Judged: 2, First: id, Last: ulid.ULID{15: n + 100}, LastFailure: at.Add(10 * time.Minute),
			LastProbe:   at.Add(12 * time.Minute),
			Experiments: []incident.Experiment{{Kind: result.ClosedPort, Text: "closed_port: refused as well"}}}
	}
	hostile := made(1, attack, -time.Hour)
	hostile.URL, hostile.Kinds[0].Sentence, hostile.Addresses[0].Address = attack, attack, attack
	hostile.Verdict.Evidence, hostile.Verdict.RuledOut[0].By, hostile.Verdict.Next = []string{attack}, attack, []string{attack}
	hostile.Experiments[0].Text, hostile.Verdict.Cause = attack, cause.Unknown
	open := made(4, "mail/4", 2*time.Minute)
	open.End, open.Ended = time.Time{}, ""
	open.Application = &incident.Application{Since: noon, Ended: 19, OldestCloseWait: 150, Ends: []incident.Ends{
		{How: observe.ResetReceived, Count: 1, Idle: 0.0415, IdleFor: []incident.IdleFor{{Below: 1, Count: 1}}},
		{How: observe.ResetReceived, Origin: result.Peer, Count: 12, Unacknowledged: 1, Unanswered: 2, Idle: 726,
			IdleFor: []incident.IdleFor{{Below: 60, Count: 5}, {Below: 75, Count: 7}}},
		{How: observe.ResetReceived, Origin: result.Path, Count: 1, Idle: 1, IdleFor: []incident.IdleFor{{Below: 5, Count: 1}}},
		{How: observe.ResetSent, Count: 1, IdleFor: []incident.IdleFor{{Below: 1, Count: 1}}},
		{How: observe.FINReceived, Count: 1, IdleFor: []incident.IdleFor{{Below: 1, Count: 1}}},
		{How: observe.FINSent, Count: 2, Idle: 8000, IdleFor: []incident.IdleFor{{Count: 2}}},
		{How: observe.TimedOut, Count: 1, Idle: 900, IdleFor: []incident.IdleFor{{Below: 1800, Count: 1}}},
		{How: observe.Unknown, Count: 1, IdleFor: []incident.IdleFor{{Below: 1, Count: 1}}}}}
	hostile.Application = &incident.Application{Since: noon}
	return []*incident.Incident{hostile, made(2, "a", 0), made(3, "b", time.Minute), open}
}

// serveRemembered serves the endpoints with these incidents.
func serveRemembered(t *testing.T) string {
	t.Helper()
	c, err := config.Parse([]byte(labModule()), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	s := serveEndpoints(t, c, slog.New(slog.DiscardHandler), prober.Options{})
	s.endpoints.Incidents.Fill(remembered())
	return s.server.URL
}

// A list has the groups with the newest incident first, and what filters choose; what it does not know is 400.
func TestIncidents(t *testing.T) {
	address := serveRemembered(t)
	three := "3 targets: connection refused (ECONNREFUSED), in the network 192.0.2.0/24"
	for _, row := range []struct {
		query string
		want  []string // headlines of groups
	}{
		{"", []string{three, "<script>"}},
		{"&target=a", []string{"a: connection refused (ECONNREFUSED)"}},
		{"&cause=unknown", []string{"<script>"}},
		{"&cause=not_listening&limit=2", []string{"2 targets: connection refused (ECONNREFUSED), in the network 192.0.2.0/24"}},
		{"&phase=connect&reason=tcp.refused&errno=ECONNREFUSED", []string{three, "<script>"}},
		{"&phase=tls", nil}, {"&errno=ECONNRESET", nil},
		{"&until=2026-11-21T11:30:00Z", []string{"<script>"}},
		{"&since=2026-11-21T12:12:30Z&until=2026-11-21T12:01:30Z", []string{"b: connection refused (ECONNREFUSED)"}},
	} {
		var l incidentList
		got := ask(t, http.MethodGet, address+"/incidents?format=json"+row.query, nil)
		if err := json.Unmarshal([]byte(got.Body), &l); err != nil || l.Schema != incident.Schema {
			t.Fatalf("%s: %v, schema %d: %s", row.query, err, l.Schema, got.Body)
		}
		var headlines []string
		for _, g := range l.Groups {
			if strings.HasPrefix(g.Headline, "<script>") {
				g.Headline = "<script>"
			}
			headlines = append(headlines, g.Headline)
		}
		if diff := cmp.Diff(row.want, headlines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.query, diff)
		}
	}
	for _, row := range []struct{ path, want string }{
		{"/incidents?x=1", `parameter "x" is unknown, want one of target, cause, phase, reason, errno, since, until, limit, format`},
		{"/incidents?cause=x", `cause "x" is unknown, want one of `}, {"/incidents?reason=x", `reason "x" is unknown`},
		{"/incidents?phase=x", `phase "x" is unknown`}, {"/incidents?since=x", `since "x" is no time`},
		{"/incidents?limit=0", `limit "0" is no number from 1 to 1000`},
		{"/incidents?limit=1001", `limit "1001" is no number from 1 to 1000`},
		{"/incidents?format=xml", `format "xml" is unknown, want html, json or text`},
		{"/incidents.atom?format=json", `parameter "format" is unknown, want one of target, cause, phase, reason, errno`},
		{"/incidents/x", `id "x" is not the ID of an incident, see /incidents`},
		{"/incidents/" + id(2) + "?x=1", `parameter "x" is unknown, want format, or download=1`},
		{"/incidents/" + id(2) + "?download=yes", `download "yes" is unknown, want 1`},
	} {
		if got := ask(t, http.MethodGet, address+row.path, nil); got.Status != 400 || !strings.HasPrefix(got.Body, row.want) {
			t.Errorf("GET %s: %d %s, want 400 %s", row.path, got.Status, got.Body, row.want)
		}
	}
	if got := ask(t, http.MethodGet, address+"/incidents/"+id(9), nil); got.Status != 404 ||
		got.Body != "incident "+id(9)+" is not kept, or no longer: see /incidents\n" {
		t.Errorf("an unknown incident: %d %s", got.Status, got.Body)
	}
}

// The pages of incidents say what happened in words, with what was ruled out and what would decide.
func TestIncidentPages(t *testing.T) {
	address := serveRemembered(t)
	for _, row := range []struct {
		path string
		has  []string
	}{
		{"/incidents", []string{"<title>Incidents: 1 open – errno_exporter</title>",
			`<h2 id="g-0">3 targets: connection refused (ECONNREFUSED), in the network 192.0.2.0/24</h2>`,
			`<a href="incidents/` + id(2) + `">a</a>, from 2026-11-21 12:00:00 to ` +
				"2026-11-21 12:12:00 UTC, 12 minutes: 45 of 48 probes failed", `href="docs/causes#not_listening"`, `<h2 id="g-1"><a href="incidents/` + id(1) + `">&lt;script&gt;`}},
		{"/incidents?target=a", []string{`href="incidents.atom?target=a"`}},
		{"/incidents?target=zz", []string{`No incident matches. <a href="incidents">Show all</a>`}},
		{"/incidents?format=text", []string{id(2) + "  a: connection refused (ECONNREFUSED)\n  from 2026-11-21 12:00:00 to"}},
		{"/incidents/" + id(2), []string{"<title>a: connection refused (ECONNREFUSED) – incident – errno_exporter</title>",
			`<span class="state">recovered</span> a: connection refused`, "party server, high confidence",
			"45 SYNs were answered with a RST", "<code>server_aborts</code>: no connection came about",
			"look at the server&#39;s process", "<dt>192.0.2.2:443</dt><dd>45 failed, 3 succeeded</dd>",
			"closed_port: refused as well", "Part of: 3 targets: connection refused", "Also: b, mail/4",
			`12:01:00 UTC</time>: <code>not_listening</code>, party server, high confidence`,
			id(2) + " (no longer kept): the first failure, the first with: connection refused"}},
		{"/incidents/" + id(4), []string{`<span class="state">failing</span> mail/4: connection refused`,
			"since 2026-11-21 12:02:00 UTC, "}},
		{"/incidents/" + id(4), []string{`<h2 id="application">The application's connections</h2><ul><li>19 ended since ` +
			"2026-11-21 12:00:00 UTC, 3 of them with a request in progress</li><li>1 reset (RST received), idle for 0.042 s</li>",
			"<li>12 reset by the peer, idle for 60.5 s on average, from 45 s to 75 s; 1 with its last request unacknowledged; 2 " +
				"with their last request unanswered</li><li>1 reset by a middlebox, idle for 1 s</li>"}},
		{"/incidents/" + id(4) + "?download=1", []string{"<style>", "<li>12 reset by the peer, idle for 60.5 s on average"}},
		{"/incidents/" + id(4) + "?format=text", []string{"\n\nThe application's connections\n  19 ended since 2026-11-21 " +
			"12:00:00 UTC, 3 of them with a request in progress\n", "\n  1 reset by the application (RST sent), idle for 0 s\n" +
			"  1 closed by the peer (FIN received), idle for 0 s\n  2 closed by the application (FIN sent), idle for 66 " +
			"minutes on average, at least 60 minutes\n  1 given up by the kernel without an answer (timed out), idle for 15 " +
			"minutes\n  1 ended in an unknown way, idle for 0 s\n  the oldest was in CLOSE_WAIT for 2 minutes: closed by " +
			"the peer, and not by the application\n"}},
		{"/incidents/" + id(4) + "?format=json", []string{`"application":{"since":"2026-11-21T12:00:00Z","ended":19,"ends":[{` +
			`"how":"reset_received","count":1,"idle_seconds":0.0415,"idle_for":[{"below_seconds":1,"count":1}]},{"how":` +
			`"reset_received","origin":"peer","count":12,"unacknowledged":1,"unanswered":2,"idle_seconds":726,"idle_for":[{` +
			`"below_seconds":60,"count":5},{"below_seconds":75,"count":7}]},`, `],"oldest_close_wait_seconds":150}`}},
		{"/incidents/" + id(1) + "?format=text", []string{"\n  none ended since 2026-11-21 12:00:00 UTC\n"}},
		{"/incidents/" + strings.ToLower(id(2)) + "?format=text", []string{"a: connection refused (ECONNREFUSED)\nfrom ",
			"\nCause: not_listening, party server, high confidence. ", "\n  next: look at the server's process\n",
			"\nPart of: 3 targets: connection refused", "     45  connection refused"}},
		{"/incidents/" + id(2) + "?format=json", []string{`{"schema":1,"id":"` + id(2) + `","target":"a"`,
			`"headline":"a: connection refused (ECONNREFUSED)"`, `"state":"recovered"`, `"group":["b","mail/4"]`,
			`"records":[{"id":"` + id(2) + `","why":"the first failure, `}},
		{"/incidents/" + id(1), []string{"&lt;script&gt;alert(1)&lt;/script&gt;\\u001b[31m\\u202e"}},
		{"/incidents/" + id(1) + "?format=text", []string{"<script>alert(1)</script>\\u001b[31m\\u202e: "}},
		{"/incidents/" + id(1) + "?download=1", []string{"<style>", "&lt;script&gt;"}},
	} {
		got := ask(t, http.MethodGet, address+row.path, nil)
		if got.Status != 200 || strings.ContainsAny(got.Body, "\x1b\u202e") {
			t.Errorf("GET %s: %d, or control characters:\n%s", row.path, got.Status, got.Body)
		}
		for _, has := range row.has {
			if !strings.Contains(got.Body, has) {
				t.Errorf("GET %s has no %s:\n%s", row.path, has, got.Body)
			}
		}
		if got.ContentType == "text/html; charset=utf-8" {
			checkPage(t, got.Body)
		}
	}
}

// A downloaded incident needs nothing else: its style and its records are in it, and no link is.
func TestIncidentAsAFile(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: payments, url: \"%s?token=hunter2\", module: other}]\n",
		faultlab.ResetAfterRequest(t)))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	address := server.URL + "/incidents/" + id(1) + "?download=1"
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if got := response.Header.Get("Content-Disposition"); got != `attachment; filename="incident-`+id(1)+`.html"` {
		t.Errorf("Content-Disposition %s", got)
	}
	body := ask(t, http.MethodGet, address, nil).Body
	checkPage(t, body)
	for _, has := range []string{"--ground:", "2 of 2 probes failed", "FAILED: http://127.0.0.1:", "reason=tcp.reset errno=ECONNRESET",
		id(2) + ": the last failure"} {
		if !strings.Contains(body, has) {
			t.Errorf("the file has no %s:\n%s", has, body)
		}
	}
	for _, not := range []string{"href=", "src=", "url(", "hunter2", "no longer kept"} {
		if strings.Contains(body, not) {
			t.Errorf("the file has %s:\n%s", not, body)
		}
	}
}

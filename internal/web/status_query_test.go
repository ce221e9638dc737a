package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
)

// What the page does not know is refused, in a line that names the parameter and its values.
func TestStatusRefuses(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: a, url: %q, module: api, labels: {team: x}}]\n",
		faultlab.Handler(t, faultlab.Healthy)))
	for _, row := range []struct{ query, want string }{
		{"nosuch=1", `parameter "nosuch" is unknown, want one of q, state, failing, sort, group, at, format`},
		{"Q=a", `parameter "Q" is unknown, want one of q, state, failing, sort, group, at, format`},
		{"state=bad", `state "bad" is unknown, want one of failing, degraded, ok, unknown`},
		{"sort=url", `sort "url" is unknown, want one of state, name, since, availability, p50, p95`},
		{"group=zone", `group "zone" is unknown, want one of cause, none, team`},
		{"format=xml", `format "xml" is unknown, want one of html, json`},
		{"at=yesterday", `at "yesterday" is no time, want one such as 2026-11-21T03:12:00Z, or 1h for an hour ago`},
		{"at=2999-01-01T00:00:00Z", "at 2999-01-01T00:00:00Z is in the future"},
		{"q=a&group=team&sort=p50&state=unknown&at=1h&format=html", ""}, {"group=cause", ""}, {"group=none", ""},
	} {
		got := ask(t, http.MethodGet, server.URL+"/?"+row.query, nil)
		status := http.StatusBadRequest
		if row.want == "" {
			status = http.StatusOK
		} else if strings.TrimSuffix(got.Body, "\n") != row.want {
			t.Errorf("%s: %q, want %q", row.query, got.Body, row.want)
		}
		if got.Status != status {
			t.Errorf("%s: %d, want %d", row.query, got.Status, status)
		}
	}
}

// Failing targets that share what fails are one group, under what they share; a label groups all targets.
func TestStatusGroups(t *testing.T) {
	reset := faultlab.ResetAfterRequest(t)
	broken := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: good, url: %q, module: api}
  - {name: first, url: %q, module: api, labels: {team: office}}
  - {name: fails, url: %q, module: api, labels: {team: office}}
  - {name: second, url: "%s/second", module: api, labels: {team: billing}}
`, faultlab.Handler(t, faultlab.Healthy), reset, broken, reset))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	address, err := url.Parse(reset)
	if err != nil {
		t.Fatal(err)
	}
	const how = "connection reset by the peer while waiting for the response (ECONNRESET)"
	for _, row := range []struct{ query, want string }{
		{"", "2 targets: " + how + " at " + address.Host + ": first second; Failing: 1 target: fails; OK: 1 target: good"},
		{"sort=name", "2 targets: " + how + " at " + address.Host +
			": first second; Failing: 1 target: fails; Not failing: 1 target: good"},
		{"group=team", "team=billing: 1 target, 1 failing: second; team=office: 2 targets, 2 failing: first fails; " +
			"without team: 1 target: good"},
		{"group=team&state=ok", "without team: 1 target: good"},
		{"group=none&sort=name", "4 targets: fails first good second"},
	} {
		page := ask(t, http.MethodGet, server.URL+"/?"+row.query, nil).Body
		var blocks []string
		for _, block := range strings.Split(page, "<h2>")[1:] {
			heading, rest, _ := strings.Cut(block, "</h2>")
			if strings.HasPrefix(heading, "Probe") {
				continue
			}
			var names []string
			for _, line := range strings.Split(rest, "<th><a ")[1:] {
				name, _, _ := strings.Cut(line, "</a>")
				_, name, _ = strings.Cut(name, ">")
				names = append(names, name)
			}
			blocks = append(blocks, heading+": "+strings.Join(names, " "))
		}
		if got := strings.Join(blocks, "; "); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.query, got, row.want)
		}
		if n := strings.Count(page, "<strong>"+how); n > 0 && row.query == "" {
			t.Errorf("%d lines repeat what their heading says", n)
		}
	}
}

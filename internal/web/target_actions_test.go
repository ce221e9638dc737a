package web

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
)

// post sends a form as a browser does, and returns the answer's status, Location, Retry-After and body.
func post(t *testing.T, address, form string, header http.Header) (status int, location, wait, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), response.Header.Get("Retry-After"), string(text)
}

// A person's probe is made at once, counts for the target, and leads to its record; experiments follow where it fails.
func TestActions(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf(`targets:
  - {name: "a/b", url: %q, module: other, min_interval: 1h}
  - {name: payments, url: %q, module: other}
`, faultlab.Handler(t, faultlab.Healthy), faultlab.ResetAfterRequest(t)))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	diagnosed := ""
	for _, row := range []struct {
		name, path, form string
		header           http.Header
		status           int
		location, wait   string
		body             string
	}{
		{"another site's page", "/targets/payments", "action=probe", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403,
			"", "", "another site's page"},
		{"unknown target", "/targets/none", "action=probe", nil, 404, "", "", `no target "none" is configured`},
		{"no action", "/targets/payments", "", nil, 400, "", "", `action "" is unknown, want probe or diagnose`},
		{"another action", "/targets/payments", "action=delete", nil, 400, "", "", `action "delete" is unknown`},
		{"another parameter", "/targets/payments?x=1", "action=probe", nil, 400, "", "", `parameter "x" is unknown`},
		{"a large form", "/targets/payments", "action=" + strings.Repeat("x", maxActionBody), nil, 400, "", "",
			"the form cannot be read"},
		{"probe, within min_interval", "/targets/a%2Fb", "action=probe", nil, 303, "../history/", "", ""},
		{"too soon", "/targets/a%2Fb", "action=diagnose", nil, 429, "", "5",
			"this target was probed by hand less than 5s ago, try again in 5 s"},
		{"another target", "/targets/payments", "action=diagnose", nil, 303, "../history/", "", ""},
	} {
		status, location, wait, body := post(t, server.URL+row.path, row.form, row.header)
		if status != row.status || strings.TrimSuffix(location, path.Base(location)) != row.location ||
			(wait == "") != (row.wait == "") ||
			!strings.Contains(body, row.body) {
			t.Errorf("%s: %d, Location %q, Retry-After %q, %s\nwant %+v", row.name, status, location, wait, body, row)
		}
		diagnosed = location
	}
	if got := ask(t, http.MethodGet, server.URL+"/targets/"+diagnosed+"?format=json", nil); !strings.Contains(got.Body,
		`"experiments":[{`) {
		t.Errorf("the record of the diagnosed failure has no experiments: %s", got.Body)
	}
	if got := ask(t, http.MethodGet, server.URL+"/targets/a%2Fb?format=json", nil); !strings.Contains(got.Body,
		`"since_start":{"succeeded":2,"probes":2}`) {
		t.Errorf("the probe by hand does not count: %s", got.Body)
	}
	claims.Prove(t, "probes and experiments by hand", int(actionEvery/time.Second))
}

// The bound is each target's own, ends with its time, and holds no target longer.
func TestActionsArePaced(t *testing.T) {
	a, began := new(actions), time.Now()
	for _, row := range []struct {
		name  string
		after time.Duration
		wait  time.Duration
		may   bool
		known int
	}{
		{"a", 0, 0, true, 1}, {"a", 0, actionEvery, false, 1}, {"b", time.Second, 0, true, 2},
		{"a", actionEvery - 1, 1, false, 2}, {"a", actionEvery, 0, true, 2}, {"c", 3 * actionEvery, 0, true, 1},
	} {
		wait, may := a.begin(row.name, began.Add(row.after))
		if wait != row.wait || may != row.may || len(a.last) != row.known {
			t.Errorf("begin(%s, %s) = %s, %t with %d targets, want %+v", row.name, row.after, wait, may, len(a.last), row)
		}
	}
}

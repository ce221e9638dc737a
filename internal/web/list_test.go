package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/history"
	"errno_exporter/internal/metrics/resulttest"
)

// Which of three records a filter chooses: a reset of payments at 03:12 with a verdict, a success of its at 03:13, and a
// refused connection of a target of /probe at 03:14.
func TestRecordFilter(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 21, 3, minute, 0, 0, time.UTC) }
	reset, success, refused := resulttest.ResetInProcessing(), resulttest.HTTPSuccess(), resulttest.ConnectRefused()
	reset.Start, success.Start, refused.Start = at(12), at(13), at(14)
	records := []*history.Record{
		{ID: ulid.ULID{15: 1}, Target: "payments", Result: &reset,
			Found: cause.Findings{Verdict: &cause.Verdict{Cause: cause.ServerAborts}}},
		{ID: ulid.ULID{15: 2}, Target: "payments", Result: &success}, {ID: ulid.ULID{15: 3}, Result: &refused},
	}
	for _, row := range []struct {
		query string
		want  []byte // the last byte of each ID
		err   string
	}{
		{"", []byte{1, 2, 3}, ""},
		{"target=payments", []byte{1, 2}, ""},
		{"target=" + url.QueryEscape(refused.URL), []byte{3}, ""},
		{"target=nobody", nil, ""},
		{"module=" + success.Module + "&failing=1", []byte{1, 3}, ""},
		{"module=other", nil, ""},
		{"phase=processing", []byte{1}, ""},
		{"reason=tcp.refused", []byte{3}, ""},
		{"errno=ECONNRESET", []byte{1}, ""},
		{"cause=server_aborts", []byte{1}, ""},
		{"cause=server_aborts&phase=connect", nil, ""},
		{"since=2026-11-21T03:13:00Z", []byte{2, 3}, ""},
		{"since=2026-11-21T03:13Z&until=2026-11-21T03:14Z", []byte{2}, ""},
		{"until=2026-11-21T04:13:00%2B01:00", []byte{1}, ""},
		{"since=90s", []byte{3}, ""},
		{"format=json", []byte{1, 2, 3}, ""},
		{"since=yesterday", nil, `since "yesterday" is no time, want one such as 2026-11-21T03:12:00Z, or 1h for an hour ago`},
		{"until=-1h", nil, `until "-1h" is no time, want one such as 2026-11-21T03:12:00Z, or 1h for an hour ago`},
		{"tagret=payments", nil, `parameter "tagret" is unknown, want one of target, module, phase, reason, errno, cause, ` +
			`since, until, failing, format`},
		{"phase=waiting", nil, `phase "waiting" is unknown, want one of resolve, `},
		{"reason=reset", nil, `reason "reset" is unknown, want one of `},
		{"cause=aliens", nil, `cause "aliens" is unknown, want one of `},
	} {
		query, err := url.ParseQuery(row.query)
		if err != nil {
			t.Fatal(err)
		}
		filter, err := parseFilter(query, at(15))
		if err != nil || row.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), row.err) || row.err == "" {
				t.Errorf("%s: error %v, want %s", row.query, err, row.err)
			}
			continue
		}
		var got []byte
		for _, kept := range records {
			if l := newListed(kept); filter.matches(&l) {
				got = append(got, kept.ID[15])
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.query, got, row.want)
		}
	}
}

// The list in each format, of a success and a failure; and a record as JSON has its ID.
func TestListFormats(t *testing.T) {
	server, target := exporter(t, slog.New(slog.DiscardHandler)), api(t)
	for _, path := range []string{"/broken", "/last?token=s3cret"} {
		ask(t, http.MethodGet, server.URL+"/probe?target="+url.QueryEscape(target.URL+path), nil)
	}
	for _, row := range []struct {
		path   string
		status int
		has    string
	}{
		{"/history?failing=1", 200, `<a href="history/` + id(1) + `">` + id(1) + `</a>`},
		{"/history?reason=tcp.reset", 200, "No record matches."},
		{"/history?format=text", 200, target.URL + "/last?token=<hidden>  success\n"},
		{"/history?format=text&phase=validate", 200, "FAILED unexpected HTTP status: 500 Internal Server Error, wanted 2xx ("},
		{"/history?format=xml", 400, `format "xml" is unknown, want html, json or text`},
		{"/history?since=x", 400, `since "x" is no time`},
		{"/history/" + id(1) + "?format=json", 200, `{"schema":2,"id":"` + id(1) + `","target":"` + target.URL + `/broken","module":"http_2xx",`},
	} {
		got := ask(t, http.MethodGet, server.URL+row.path, nil)
		if got.Status != row.status || !strings.Contains(got.Body, row.has) || strings.Contains(got.Body, "s3cret") {
			t.Errorf("GET %s = %d, want %d, with %q and without secrets:\n%s", row.path, got.Status, row.status, row.has,
				got.Body)
		}
	}
	var list struct {
		Schema  int
		Records []listed
	}
	body := ask(t, http.MethodGet, server.URL+"/history?format=json", nil).Body
	if err := json.Unmarshal([]byte(body), &list); err != nil || list.Schema != 2 || len(list.Records) != 2 ||
		!list.Records[0].Success || list.Records[0].ID.String() != id(2) || list.Records[1].Failure == nil ||
		list.Records[1].Failure.Reason != "http.error" || list.Records[1].Verdict == nil {
		t.Errorf("%v: %+v, want the success, then the failure with its verdict:\n%s", err, list, body)
	}
}

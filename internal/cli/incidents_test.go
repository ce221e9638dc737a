package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/observe"
	"errno_exporter/internal/store"
	"errno_exporter/prober/result"
)

// storeOf is a store of three incidents: orders from 03:01 to 03:14, of which the server says what is hostile, payments
// from 03:12 on, and one that another version has stored.
func storeOf(t *testing.T) string {
	t.Helper()
	at := func(minute int) time.Time { return time.Date(2026, 11, 21, 3, minute, 0, 0, time.UTC) }
	kind := incident.Kind{Phase: result.Processing, Reason: result.TCPReset, Sentence: "connection reset", Count: 5}
	hostile := incident.Kind{Phase: result.Validate, Reason: result.HTTPError, Sentence: "status\x1b[2J\n500", Count: 2}
	leaks := &incident.Application{Since: at(11), OldestCloseWait: 300}
	for range 2 {
		leaks.Note(&observe.End{How: observe.ResetReceived, Origin: result.Peer, Idle: 61 * time.Second, Lost: observe.Unanswered})
	}
	incidents := []*incident.Incident{
		{Schema: 1, ID: ulid.MustNew(ulid.Timestamp(at(1)), nil), Target: "orders", Begin: at(1), End: at(14),
			Ended: incident.Recovered, Attempts: 13, Failed: 12, Kinds: []incident.Kind{hostile}, LastProbe: at(16),
			Application: &incident.Application{Since: at(0)}},
		{Schema: 1, ID: ulid.MustNew(ulid.Timestamp(at(12)), nil), Target: "payments", Begin: at(12), Attempts: 7, Failed: 7,
			Kinds: []incident.Kind{hostile, kind}, LastProbe: at(18), Verdict: &cause.Verdict{Cause: cause.ServerAborts,
				Party: cause.Server, Confidence: cause.Medium}, Application: leaks},
		{Schema: 9, ID: ulid.MustNew(ulid.Timestamp(at(20)), nil), Target: "future", Begin: at(20)},
	}
	path := filepath.Join(t.TempDir(), "copied.db")
	s, err := store.Open(store.Options{Path: path, Retention: 1e6 * time.Hour, MaxSize: 64 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range incidents {
		s.PutIncident(store.Incident{ID: store.ID(i.ID), Target: i.Target, Begin: i.Begin, End: i.End, Body: i.Encode()})
	}
	s.Close()
	return path
}

func TestIncidents(t *testing.T) {
	path := storeOf(t)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const head = "BEGIN (UTC)          DURATION  TARGET    FAILED    CAUSE          PARTY   CONFIDENCE  FAILURE\n"
	const payments = "2026-11-21 03:12:00  6m0s+     payments  7 of 7    server_aborts  server  medium      connection reset; and 1 more\n" +
		"  The application's connections: 2 ended since 2026-11-21 03:11:00 UTC, 2 of them with a request in progress\n" +
		"    2 reset by the peer, idle for 61 s on average, from 60 s to 75 s; 2 with their last request unanswered\n" +
		"    the oldest was in CLOSE_WAIT for 5 minutes: closed by the peer, and not by the application\n"
	const orders = "2026-11-21 03:01:00  13m0s     orders    12 of 13  -              -       -           " +
		`status\u001b[2J\u000a500` + "\n"
	const left = "errno_exporter: incidents of another version of errno_exporter are left out: 1\n"
	for _, row := range []struct {
		name     string
		options  IncidentsOptions
		want     string
		messages string
		status   int
	}{
		{"all, the newest first", IncidentsOptions{Store: path}, head + payments + orders, left, ExitOK},
		{"none", IncidentsOptions{Store: path, Target: "nobody"}, "no incidents\n", "", ExitOK},
		{"that lasted after orders", IncidentsOptions{Store: path, Since: "2026-11-21T03:15Z", Cause: "server_aborts"},
			strings.ReplaceAll(head, "FAILED    ", "FAILED  ") + strings.Replace(payments, "7 of 7    ", "7 of 7  ", 1), left, ExitOK},
		{"no time", IncidentsOptions{Store: path, Since: "yesterday"}, "", `errno_exporter: --since "yesterday" is no time, want ` +
			"one such as 2026-11-21T03:12:00Z, or 12h or 7d for so long ago\n", ExitUsage},
		{"no cause", IncidentsOptions{Store: path, Cause: "aliens"}, "", `errno_exporter: --cause "aliens" is unknown, see ` +
			"docs/causes.md\n", ExitUsage},
		{"no store", IncidentsOptions{}, "", "errno_exporter: --storage.path is missing: name the exporter's store, or a " +
			"copy of it\n", ExitUsage},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, messages bytes.Buffer
			status := Incidents(&row.options, &out, &messages)
			if diff := cmp.Diff(row.want, out.String()); diff != "" || status != row.status {
				t.Errorf("status %d, want %d, output (-want +got):\n%s", status, row.status, diff)
			}
			if diff := cmp.Diff(row.messages, messages.String()); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
	var messages bytes.Buffer
	if status := Incidents(&IncidentsOptions{Store: empty}, &messages, &messages); status != ExitUsage ||
		!strings.Contains(messages.String(), empty) || strings.Count(messages.String(), "\n") != 1 {
		t.Errorf("an empty file: status %d, %q, want one line that names it", status, messages.String())
	}
}

// The JSON is that of incidents, in one line that drives no terminal.
func TestIncidentsAsJSON(t *testing.T) {
	var out, messages bytes.Buffer
	status := Incidents(&IncidentsOptions{Store: storeOf(t), Output: "json", Target: "orders"}, &out, &messages)
	var got struct {
		Schema    int
		Incidents []incident.Incident
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || status != ExitOK || got.Schema != incident.Schema ||
		len(got.Incidents) != 1 || got.Incidents[0].Target != "orders" || got.Incidents[0].Failed != 12 ||
		bytes.Count(out.Bytes(), []byte("\n")) != 1 || bytes.Contains(out.Bytes(), []byte("\x1b")) {
		t.Errorf("status %d, %v, %s%s", status, err, out.String(), messages.String())
	}
}

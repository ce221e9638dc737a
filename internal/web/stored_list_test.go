package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/archive"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/store"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
)

// Records that are in the store alone are listed with those in memory, each once, and chosen by the same filters.
func TestHistoryHasStoredRecords(t *testing.T) {
	s, err := store.Open(store.Options{Path: t.TempDir(), Retention: 1e6, MaxSize: 64 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before, memory := history.New(100), history.New(100) // of before a restart, and of now
	stored := archive.New(s, before, slog.New(slog.DiscardHandler))
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}, Changed: stored.Changed})
	sinks := []watch.Sink{IncidentsIn(incidents), RecordIn(before), stored.RecordsOf(incidents)}
	now := time.Now().Truncate(time.Second)
	at := func(n byte) ulid.ULID { return ulid.MustNew(ulid.Timestamp(now)-uint64(n)*60_000, nil) }
	for n, name := range map[byte]string{30: "payments", 20: "mail", 10: "orders"} { // minutes ago
		r := resulttest.ResetInProcessing()
		if name == "mail" {
			r = resulttest.ConnectRefused()
		}
		r.Start = now.Add(-time.Duration(n) * time.Minute)
		p := &watch.Published{ID: at(n), Target: name, Result: &r, Module: module.New("api")}
		for _, sink := range sinks {
			sink(p)
		}
		if n == 10 {
			RecordIn(memory)(p)
		}
	}
	success := resulttest.HTTPSuccess()
	success.Start = now.Add(-5 * time.Minute)
	RecordIn(memory)(&watch.Published{ID: at(5), Target: "payments", Result: &success, Module: module.New("api")})
	endpoints := &Endpoints{Probe: &ProbeHandler{Config: config.NewCurrent(config.Default())}, Life: new(Lifecycle),
		History: memory, Archive: stored}
	handler := endpoints.Handler()
	for _, row := range []struct {
		query string
		want  []ulid.ULID
	}{
		{"", []ulid.ULID{at(5), at(10), at(20), at(30)}},
		{"&target=payments", []ulid.ULID{at(5), at(30)}},
		{"&target=" + url.QueryEscape(success.URL), []ulid.ULID{at(5)}},
		{"&reason=tcp.refused", []ulid.ULID{at(20)}},
		{"&failing=1&errno=ECONNRESET", []ulid.ULID{at(10), at(30)}},
		{"&since=25m&until=8m", []ulid.ULID{at(10), at(20)}},
		{"&phase=tls", nil},
	} {
		got := httptest.NewRecorder()
		handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/history?format=json"+row.query, nil))
		var list struct{ Records []listed }
		if err := json.Unmarshal(got.Body.Bytes(), &list); err != nil {
			t.Fatalf("%s: %v: %s", row.query, err, got.Body)
		}
		var ids []ulid.ULID
		for _, l := range list.Records {
			ids = append(ids, l.ID)
		}
		if diff := cmp.Diff(row.want, ids); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.query, diff)
		}
	}
	if of := endpoints.recordsOf("payments"); len(of) != 2 || of[1].ID != at(30) || of[1].Success {
		t.Errorf("the records of payments: %+v", of)
	}
}

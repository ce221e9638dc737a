package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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

// A record that is only in the store is shown as it was from memory: as page, as text and as JSON.
func TestStoredRecord(t *testing.T) {
	s, err := store.Open(store.Options{Path: t.TempDir(), Retention: 1e6, MaxSize: 64 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	memory := history.New(100)
	stored := archive.New(s, memory, slog.New(slog.DiscardHandler))
	incidents := incident.NewLog(incident.Options{Rule: incident.Rule{Successes: 1}, Changed: stored.Changed})
	sinks := []watch.Sink{IncidentsIn(incidents), RecordIn(memory), stored.RecordsOf(incidents)}
	answer := func(h *history.History, path string) *httptest.ResponseRecorder {
		endpoints := &Endpoints{Probe: &ProbeHandler{Config: config.NewCurrent(config.Default())}, Life: new(Lifecycle),
			History: h, Archive: stored}
		endpoints.Incidents = incident.NewLog(incident.Options{}) // which has forgotten all
		got := httptest.NewRecorder()
		endpoints.Handler().ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
		return got
	}
	// a byte that is no UTF-8 is U+FFFD in JSON
	valid := func(s string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), `\ufffd`, "\ufffd")
	}
	failures := 0
	for n, r := range resulttest.Records() {
		p := &watch.Published{ID: ulid.MustNew(ulid.Timestamp(r.Result.Start)+uint64(n), nil), Target: r.Name,
			Result: &r.Result, Module: module.New("api")}
		for _, sink := range sinks {
			sink(p)
		}
		if r.Result.Failure == nil {
			continue
		}
		failures++
		path := "/history/" + p.ID.String()
		for _, format := range []string{"?format=text", "?format=json"} {
			want, got := answer(memory, path+format), answer(history.New(1), path+format)
			if want.Code != http.StatusOK || got.Code != http.StatusOK || len(want.Body.String()) < 100 {
				t.Fatalf("%s%s: %d and %d", r.Name, format, want.Code, got.Code)
			}
			if diff := cmp.Diff(valid(want.Body.String()), valid(got.Body.String())); diff != "" {
				t.Errorf("%s%s (-from memory +from the store):\n%s", r.Name, format, diff)
			}
		}
		kept, ownScale := memory.Get(p.ID), cmpopts.IgnoreFields(waterfallBar{}, "X", "Width", "TextX")
		text := answer(memory, path+"?format=text").Body.String()
		if diff := cmp.Diff(newRecordPage(kept, text), newStoredPage(stored.Record(p.ID)), ownScale,
			cmp.Transformer("valid", valid)); diff != "" {
			t.Errorf("%s: the page (-from memory +from the store):\n%s", r.Name, diff)
		}
		if got := answer(history.New(1), "/incidents/"+p.ID.String()+"?format=json"); got.Code != http.StatusOK ||
			!strings.Contains(got.Body.String(), p.ID.String()) {
			t.Errorf("%s: its incident is %d from the store:\n%s", r.Name, got.Code, got.Body)
		}
		if page := answer(history.New(1), path).Body.String(); !strings.Contains(page, p.ID.String()) {
			t.Errorf("%s: the page lacks %s:\n%s", r.Name, p.ID, page)
		}
	}
	if failures < 5 {
		t.Errorf("%d failures were compared, want at least 5", failures)
	}
	missing := ulid.ULID{15: 1}.String()
	if got := answer(history.New(1), "/history/"+missing); got.Code != http.StatusNotFound {
		t.Errorf("%d for a record that is nowhere, want 404", got.Code)
	}
}

package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/archive"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/store"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// An earlier moment has the incidents that only the store has: an exporter that remembers none answers for the time
// before it was started. One whose end nobody stored ended with its last failure.
func TestStatusAtHasStoredIncidents(t *testing.T) {
	s, err := store.Open(store.Options{Path: t.TempDir(), Retention: 1e6 * time.Hour, MaxSize: 64 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stored := archive.New(s, history.New(0), slog.New(slog.DiscardHandler))
	begin := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	made := func(name string, begin time.Time) *incident.Incident {
		id := ulid.MustNew(ulid.Timestamp(begin), nil)
		return &incident.Incident{Schema: incident.Schema, ID: id, Target: name, Begin: begin, First: id, Last: id,
			LastFailure: begin.Add(30 * time.Minute), LastProbe: begin.Add(30 * time.Minute),
			Kinds: []incident.Kind{{Phase: result.Connect, Reason: result.TCPRefused, Errno: "ECONNREFUSED",
				Origin: result.Peer, Sentence: "connection refused", Count: 3, Record: id, First: begin, Last: begin}}}
	}
	over, torn := made("over", begin), made("torn", begin.Add(time.Second))
	over.End, over.Ended = begin.Add(time.Hour), incident.Recovered
	stored.Changed(nil, over)
	stored.Changed(nil, torn)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte(labModule()+"targets:\n  - {name: over, url: 'http://127.0.0.1:1/', module: api}\n"+
		"  - {name: torn, url: 'http://127.0.0.1:2/', module: api}\n"), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	e := *serveEndpoints(t, c, slog.New(slog.DiscardHandler), prober.Options{}).endpoints
	e.Archive = stored
	handler := e.Handler()
	for _, row := range []struct {
		after      time.Duration
		over, torn string
	}{
		{-time.Second, "unknown", "unknown"},
		{10 * time.Minute, "failing", "failing"},
		{45 * time.Minute, "failing", "unknown"},
		{61 * time.Minute, "unknown", "unknown"},
	} {
		got := httptest.NewRecorder()
		at := url.QueryEscape(begin.Add(row.after).UTC().Format(time.RFC3339))
		handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/?format=json&at="+at, nil))
		var shown struct {
			Targets []struct{ Name, State string } `json:"shown"`
		}
		if err := json.Unmarshal(got.Body.Bytes(), &shown); err != nil {
			t.Fatalf("%v: %s", err, got.Body)
		}
		states := map[string]string{}
		for _, t := range shown.Targets {
			states[t.Name] = t.State
		}
		if states["over"] != row.over || states["torn"] != row.torn {
			t.Errorf("after %s: %v, want %s and %s: %s", row.after, states, row.over, row.torn, got.Body)
		}
	}
}

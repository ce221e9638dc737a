package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLifecycle(t *testing.T) {
	for _, row := range []struct {
		name, method, path string
		enabled            bool
		draining           bool
		err                error
		status             int
		allow, body        string
		reloads            int
	}{
		{"reload", "POST", "/-/reload", true, false, nil, 200, "", "", 1},
		{"reload by PUT", "PUT", "/-/reload", true, false, nil, 200, "", "", 1},
		{"reload of a bad file", "POST", "/-/reload", true, false, errors.New("f.yml:3: bad"), 500, "",
			"the running configuration stays: f.yml:3: bad\n", 1},
		{"reload by GET", "GET", "/-/reload", true, false, nil, 405, "POST, PUT", "reloading wants POST or PUT\n", 0},
		{"reload switched off", "POST", "/-/reload", false, false, nil, 403, "",
			"reloading over HTTP is switched off: start with --web.enable-lifecycle, or send SIGHUP\n", 0},
		{"ready", "GET", "/-/ready", false, false, nil, 200, "", "errno_exporter is ready\n", 0},
		{"not ready while shutting down", "GET", "/-/ready", false, true, nil, 503, "",
			"errno_exporter is shutting down\n", 0},
	} {
		reloads := 0
		l := &Lifecycle{Enabled: row.enabled, Reload: func() error { reloads++; return row.err }}
		if row.draining {
			l.Drain(t.Context())
		}
		mux := http.NewServeMux()
		l.handle(mux)
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(row.method, row.path, nil))
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Code != row.status || string(body) != row.body || answer.Header().Get("Allow") != row.allow ||
			reloads != row.reloads {
			t.Errorf("%s: %d %q, Allow %q, %d reloads, want %d %q, %q, %d", row.name, answer.Code, body,
				answer.Header().Get("Allow"), reloads, row.status, row.body, row.allow, row.reloads)
		}
	}
}

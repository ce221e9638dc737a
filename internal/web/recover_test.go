package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"errno_exporter/guard"
)

// A handler's panic is a 500 and a report; one that gives up an answer on purpose stays net/http's.
func TestHandlersAreGuarded(t *testing.T) {
	for _, row := range []struct {
		name     string
		value    any
		status   int
		reported bool
		passed   bool
	}{
		{"a bug", "boom", http.StatusInternalServerError, true, false},
		{"an answer that is given up", http.ErrAbortHandler, http.StatusOK, false, true},
	} {
		reported := false
		handler := recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(row.value) }),
			func(*guard.Panic) { reported = true })
		w := httptest.NewRecorder()
		passed := guard.Try(func() { handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)) }) != nil
		if w.Code != row.status || reported != row.reported || passed != row.passed {
			t.Errorf("%s: status %d, reported %t, passed on %t, want %d, %t, %t", row.name, w.Code, reported, passed,
				row.status, row.reported, row.passed)
		}
	}
}

package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An error is text, whatever it quotes, and every error of this package is written by refuse.
func TestErrorsAreEscaped(t *testing.T) {
	w := httptest.NewRecorder()
	refuse(w, "module \"\x1b[2J\u009b\u202e\u2066\x7f\xff\r\": none\nnext", http.StatusBadRequest)
	if want := `module "\u001b[2J\u009b\u202e\u2066\u007f\ufffd\u000d": none` + "\nnext\n"; w.Body.String() != want ||
		w.Code != http.StatusBadRequest {
		t.Errorf("%d %q, want %q", w.Code, w.Body.String(), want)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), "http.Error("); n > 0 && (n > 1 || name != "answer.go") {
			t.Errorf("%s calls http.Error, want refuse", name)
		}
	}
}

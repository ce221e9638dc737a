package web

import (
	"net/http"

	"errno_exporter/internal/escape"
)

// refuse answers with an error: one or more lines, which may have texts of the client or of a file in them.
func refuse(w http.ResponseWriter, text string, status int) {
	http.Error(w, string(escape.Line([]byte(text))), status)
}

package web

import (
	"html/template"
	"net/http"
	"strings"

	"errno_exporter/docs"
	"errno_exporter/internal/documents"
	"errno_exporter/monitoring"
)

// documentTemplate is a document's page, and the list of all at /docs/.
var documentTemplate = template.Must(template.ParseFS(files, "templates/document.html"))

// documentPage is the content of a document's page.
type documentPage struct {
	Title string
	Page  *documents.Page   // nil for the list
	All   []*documents.Page // nil for a document
}

// documented serves the documents under /docs/: without internet, and in the version that runs.
func documented(mux *http.ServeMux, answers *spools) {
	library, err := documents.New(documents.Source{Files: monitoring.Files, Path: "monitoring"},
		documents.Source{Files: docs.Files, Path: "docs"})
	if err != nil {
		panic("web: " + err.Error()) // the program carries them: a test would have failed
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) { moved(w, "docs/") })
	mux.HandleFunc("GET /docs/{$}", answers.buffered(compressed(func(w http.ResponseWriter, _ *http.Request) {
		showDocument(w, documentPage{Title: "Documents", All: library.Pages()})
	})))
	mux.HandleFunc("GET /docs/{name}", answers.buffered(compressed(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		plain := strings.TrimSuffix(name, ".md")
		switch {
		case !library.Has(plain):
			refuse(w, "no document has this name, see /docs/ for all", http.StatusNotFound)
		case plain != name:
			moved(w, plain) // so that links to the repository's files work
		default:
			page := library.Page(name)
			showDocument(w, documentPage{Title: page.Title, Page: page})
		}
	})))
}

func showDocument(w http.ResponseWriter, p documentPage) {
	_ = documentTemplate.Execute(page(w), p) // fails only if the client is gone
}

// moved redirects to a place relative to the request's, whatever prefix a proxy or --web.route-prefix puts before it.
func moved(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

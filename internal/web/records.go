package web

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/history"
	"errno_exporter/internal/record"
	"errno_exporter/prober/module"
)

// records answers for the probes that were made.
type records struct {
	history *history.History
	config  *config.Current
}

func (h records) handle(mux *http.ServeMux, answers *spools) {
	mux.HandleFunc("GET /history", answers.buffered(h.list))
	mux.HandleFunc("GET /history/{id}", answers.buffered(func(w http.ResponseWriter,
		r *http.Request) {
		h.byID(w, r, r.PathValue("id"))
	}))
	mux.HandleFunc("GET /logs", answers.buffered(h.logs))
}

// logs finds a record as blackbox_exporter does: by id, or the latest of a target, with a module or any. The name of a
// configured target stands for its URL and its module, as for /probe.
func (h records) logs(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if id := query.Get("id"); id != "" {
		h.byID(w, r, id)
		return
	}
	wanted, name := "", query.Get("module")
	if t := h.config.Get().Find(query.Get("target")); t != nil {
		wanted, name = t.URL.String(), cmp.Or(name, t.Module.Name)
	} else {
		target, err := parseTarget(query.Get("target"))
		if err != nil {
			refuse(w, "add id=ID or target=URL: "+err.Error(), http.StatusBadRequest)
			return
		}
		wanted = target.URL.String()
	}
	for _, kept := range h.history.Records() {
		if key := kept.KeyOf(); key.Target == wanted && (name == "" || name == key.Module) {
			h.show(w, r, kept)
			return
		}
	}
	refuse(w, fmt.Sprintf("no probe of target %q is kept, see /history for those that are",
		module.WithoutSecrets(query.Get("target"))), http.StatusNotFound)
}

// byID shows a record by its number, or by the trace ID that its request bore.
func (h records) byID(w http.ResponseWriter, r *http.Request, text string) {
	if kept := h.history.Trace(text); kept != nil {
		h.show(w, r, kept)
		return
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		refuse(w, fmt.Sprintf("id %q is not the number of a probe, see /history for those that are kept", text),
			http.StatusBadRequest)
		return
	}
	kept := h.history.Get(id)
	if kept == nil {
		refuse(w, fmt.Sprintf("probe %d is not kept, or no longer: see /history, and --history.limit", id),
			http.StatusNotFound)
		return
	}
	h.show(w, r, kept)
}

// listed is one line of the list.
type listed struct {
	ID                     uint64
	Time, Module, Duration string
	Target, Result         string
	Failed                 bool
}

var listPage = template.Must(template.New("history").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recent probes – errno_exporter</title>
<link rel="stylesheet" href="static/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><h1>Recent probes</h1><nav aria-label="Pages"><a href="./">targets</a></nav></header>
<main>
{{if .}}<table>
<thead><tr><th>Time</th><th>Target</th><th>Module</th><th>Result</th><th>Took</th><th>Record</th></tr></thead>
<tbody>
{{range .}}<tr><td>{{.Time}}</td><td>{{.Target}}</td><td>{{.Module}}</td><td>{{if .Failed}}<strong>{{.Result}}</strong>{{else}}{{.Result}}{{end}}</td><td>{{.Duration}}</td><td><a href="history/{{.ID}}">{{.ID}}</a></td></tr>
{{end}}</tbody>
</table>{{else}}<p>No probe has been made yet.</p>{{end}}
</main>
</body>
</html>
`))

// list shows what is kept, the newest first.
func (h records) list(w http.ResponseWriter, _ *http.Request) {
	var lines []listed
	for _, kept := range h.history.Records() {
		r := kept.Result
		line := listed{
			ID: kept.ID, Time: r.Start.UTC().Format(time.RFC3339), Target: r.URL, Module: r.Module,
			Result: "success", Duration: record.Short(r.Elapsed), Failed: r.Failure != nil,
		}
		if r.Failure != nil {
			line.Result = r.Failure.Sentence()
		}
		lines = append(lines, line)
	}
	_ = listPage.Execute(page(w), lines) // fails only if the client is gone
}

// page announces a page that loads nothing and runs nothing, and returns what writes it: HTML escapes what is markup,
// and leaves the control characters of texts from outside as they are.
func page(w http.ResponseWriter) io.Writer {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action "+
			"'self'; base-uri 'none'; frame-ancestors 'none'")
	return escape.NewTerminal(w, "\t")
}

package web

import (
	"cmp"
	"fmt"
	"io"
	"net/http"

	"github.com/oklog/ulid/v2"

	"errno_exporter/config"
	"errno_exporter/internal/archive"
	"errno_exporter/internal/escape"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
	"errno_exporter/prober/module"
)

// records answers for the probes that were made.
type records struct {
	history *history.History
	config  *config.Current

	incidents *incident.Log
	archive   *archive.Archive
}

func (e *Endpoints) records() records {
	return records{e.History, e.Probe.Config, e.Incidents, e.Archive}
}

func (h records) handle(mux *http.ServeMux, answers *spools) {
	mux.HandleFunc("GET /history", answers.buffered(h.list))
	mux.HandleFunc("GET /history/{id}", answers.buffered(func(w http.ResponseWriter,
		r *http.Request) {
		if _, err := onlyFormat(r.URL.Query()); err != nil {
			refuse(w, err.Error(), http.StatusBadRequest)
			return
		}
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

// byID shows a record by its ID, or by the trace ID that its request bore.
func (h records) byID(w http.ResponseWriter, r *http.Request, text string) {
	if kept := h.history.Trace(text); kept != nil {
		h.show(w, r, kept)
		return
	}
	id, err := ulid.ParseStrict(text)
	if err != nil {
		refuse(w, fmt.Sprintf("id %q is not the ID of a probe, see /history for those that are kept",
			module.Shortened(text)),
			http.StatusBadRequest)
		return
	}
	kept := h.history.Get(id)
	if stored := h.archive.Record(id); kept == nil && stored != nil {
		h.showStored(w, r, stored)
		return
	}
	if kept == nil {
		refuse(w, fmt.Sprintf("probe %s is not kept, or no longer: see /history, and --history.limit", id),
			http.StatusNotFound)
		return
	}
	h.show(w, r, kept)
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

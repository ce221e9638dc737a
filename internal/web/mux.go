// Package web answers HTTP: what is asked is parsed and probed, and the Result is shown as samples or as a page.
package web

import (
	"io"
	"net/http"
	"net/http/pprof"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/guard"
	"errno_exporter/internal/archive"
	"errno_exporter/internal/history"
	"errno_exporter/internal/incident"
)

// Endpoints are what the exporter answers.
type Endpoints struct {
	Probe       *ProbeHandler
	Life        *Lifecycle
	History     *history.History
	Incidents   *incident.Log
	Archive     *archive.Archive     // what is stored; may be nil
	Registry    *prometheus.Registry // the exporter's own metrics, no target's
	ExternalURL *url.URL             // under which the exporter is reached from outside; nil if that was not said
	RoutePrefix string               // where they begin: "/", or a path without a slash at its end
	Pprof       bool                 // profiles under /debug/pprof/
	Hosts       []string             // the names that a request's Host may have; empty for any
	Panicked    guard.Report         // is called with the panics of handlers; may be nil
}

// Handler returns the handler of all endpoints.
func (e *Endpoints) Handler() http.Handler {
	mux := http.NewServeMux()
	waiting := newSpools(maxSpooled)
	probe := e.Life.probes(e.unlooped(e.Probe.detailed(waiting)))
	mux.Handle("GET /probe", probe)
	mux.Handle("POST /probe", probe) // with the parameters in the URL: blackbox_exporter answers that, too
	mux.Handle("GET /metrics", e.Life.probes(e.unlooped(waiting.buffered(compressed(e.scraping(waiting))))))
	mux.HandleFunc("GET /sd", waiting.buffered(e.discover))
	mux.HandleFunc("GET /-/healthy", healthy)
	e.Life.handle(mux)
	e.records().handle(mux, waiting)
	documented(mux, waiting)
	e.handleIncidents(mux, waiting)
	mux.HandleFunc("GET /targets/{name...}", waiting.buffered(e.showTarget))
	mux.Handle("POST /targets/{name...}", e.Life.probes(e.unlooped(e.act(new(actions)))))
	mux.HandleFunc("GET /api", waiting.buffered(e.api))
	mux.HandleFunc("GET /config", waiting.buffered(e.config))
	mux.HandleFunc("GET /{$}", waiting.buffered(e.status))
	mux.HandleFunc("GET /static/{file}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "static/"+r.PathValue("file"))
	})
	all := bounded(mux)
	if e.Pprof {
		all = profiled(all)
	}
	return recovered(e.prefixed(knownHost(sameOrigin(all, e.ExternalURL), e.Hosts)), e.Panicked)
}

// unlooped refuses requests that a probe of this exporter makes itself: one probe would become as many as there are
// slots.
func (e *Endpoints) unlooped(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, err := e.Probe.Watch.Nested(r.Context(), r.Header)
		if err != nil {
			refuse(w, err.Error(), http.StatusLoopDetected)
			return
		}
		if ctx != r.Context() {
			r = r.WithContext(ctx)
		}
		answer(w, r)
	}
}

// prefixed puts everything under the prefix, to which the root redirects.
func (e *Endpoints) prefixed(mux http.Handler) http.Handler {
	if e.RoutePrefix == "/" || e.RoutePrefix == "" {
		return mux
	}
	outer := http.NewServeMux()
	outer.Handle(e.RoutePrefix+"/", http.StripPrefix(e.RoutePrefix, mux))
	outer.Handle("GET /{$}", http.RedirectHandler(e.RoutePrefix+"/", http.StatusFound))
	return outer
}

// config shows the running configuration.
func (e *Endpoints) config(w http.ResponseWriter, _ *http.Request) {
	plainText(w)
	_, _ = w.Write(e.Probe.Config.Get().YAML()) // fails only if the client is gone
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	plainText(w)
	_, _ = io.WriteString(w, "errno_exporter is healthy\n") // fails only if the client is gone
}

// plainText announces text, whatever a server has put into it.
func plainText(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
}

// profiled adds Go's profiles of the running program, which take as long as they are asked to.
func profiled(others http.Handler) http.Handler {
	all := http.NewServeMux()
	all.Handle("/", others)
	all.HandleFunc("/debug/pprof/", pprof.Index)
	all.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	all.HandleFunc("/debug/pprof/profile", pprof.Profile)
	all.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	all.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return all
}

// Package web answers HTTP: what is asked is parsed and probed, and the Result is shown as samples or as a page.
package web

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewMux returns the exporter's endpoints. /metrics exposes the registry: the exporter's own metrics, no target's.
func NewMux(probe *ProbeHandler, life *Lifecycle, registry *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /probe", probe)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: registry}))
	mux.HandleFunc("GET /-/healthy", healthy)
	life.handle(mux)
	mux.Handle("GET /{$}", landing{config: probe.Config})
	return mux
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "errno_exporter is healthy\n") // an asker who has gone is no one to tell
}

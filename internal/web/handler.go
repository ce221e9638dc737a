package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"errno_exporter/config"
	"errno_exporter/internal/history"
	"errno_exporter/internal/metrics"
	"errno_exporter/prober"
)

// ProbeHandler answers /probe: one probe for each request.
type ProbeHandler struct {
	Prober        *prober.Prober
	Config        *config.Current
	TimeoutOffset time.Duration // kept back from Prometheus's scrape timeout
	History       *history.History
	Logger        *slog.Logger // a line for each probe
}

// ServeHTTP answers 200 with the probe's samples, also when the probe failed, and 400 to the asker's mistakes.
func (h *ProbeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuestion(r, h.Config.Get(), h.TimeoutOffset)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), q.timeout)
	defer cancel()
	result := h.Prober.Probe(ctx, q.target, q.module)
	h.History.Add(&result, q.module)
	logProbe(r.Context(), h.Logger, &result)
	families := metrics.Probe(&result, q.module)
	if q.debug {
		writeDebug(w, &result, q.module, families)
		return
	}
	writeSamples(w, r, families)
}

// writeSamples answers in the format that the asker prefers: text, OpenMetrics or protobuf. The answer is small, and
// compressing it would cost more than the probe.
func writeSamples(w http.ResponseWriter, r *http.Request, families []*dto.MetricFamily) {
	gathered := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
	promhttp.HandlerFor(gathered, promhttp.HandlerOpts{EnableOpenMetrics: true, DisableCompression: true}).ServeHTTP(w, r)
}

// logProbe writes one line for each probe. A probe that its asker gave up says nothing about the target.
func logProbe(ctx context.Context, logger *slog.Logger, r *prober.Result) {
	attrs := []slog.Attr{slog.String("module", r.Module), slog.String("target", config.MaskURL(r.Target.URL))}
	level, text := slog.LevelDebug, "probe succeeded"
	if f := r.Failure; f != nil {
		text = "probe failed"
		if f.Reason != prober.Abandoned {
			level = slog.LevelInfo
		}
		attrs = append(attrs, slog.String("phase", string(f.Phase)), slog.String("reason", string(f.Reason)),
			slog.String("errno", prober.ErrnoName(f.Errno)), slog.String("origin", string(f.Origin)), slog.Any("err", f.Err))
	}
	logger.LogAttrs(ctx, level, text, append(attrs, slog.Duration("duration", r.Elapsed))...)
}

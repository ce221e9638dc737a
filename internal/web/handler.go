package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// ProbeHandler answers /probe: one probe for each request.
type ProbeHandler struct {
	Watch         *watch.Watch
	Config        *config.Current
	TimeoutOffset time.Duration // kept back from Prometheus's scrape timeout
	Requests      *Requests     // bounds those under way; nil for no bound
	UnknownModule func()        // is called for each request that names a module that there is not; may be nil
	// answer 200 and probe_success 0 also where a target cannot be probed, as blackbox_exporter does
	BlackboxErrors bool

	buffers     sync.Pool // *bytes.Buffer, of answers
	expositions sync.Pool // *metrics.Exposition
}

// ServeHTTP answers 200 with the probe's samples, also when the probe failed, 400 to the client's mistakes, 403 where
// the policy forbids the target, and 503 when the exporter itself could not probe in time.
func (h *ProbeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuestion(r, h.Config.Get(), h.TimeoutOffset)
	if err != nil {
		if _, unknown := errors.AsType[unknownModule](err); unknown && h.UnknownModule != nil {
			h.UnknownModule()
		}
		h.refuseQuestion(w, r, &q, err)
		return
	}
	leave, err := h.Requests.enter(&q)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		refuse(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer leave()
	answerBy(w, q.timeout+answerTimeout)
	state, err := h.probe(r.Context(), &q)
	answerBy(w, answerTimeout)
	denied, isDenied := errors.AsType[*result.DeniedError](err)
	switch {
	case isDenied:
		h.refuseDenied(w, r, &q, denied)
		return
	case r.Context().Err() != nil:
		return // the client has disconnected
	case err != nil:
		refuse(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	h.answer(w, r, &q, &state)
}

// answer answers with the probe's samples, or with its record.
func (h *ProbeHandler) answer(w http.ResponseWriter, r *http.Request, q *question, state *watch.State) {
	e, ok := h.expositions.Get().(*metrics.Exposition)
	if !ok {
		e = metrics.NewExposition()
	}
	defer h.expositions.Put(e)
	e.Reset()
	expose(e, state)
	if q.debug {
		plainText(w)
		// fails only if the client is gone
		_, _ = w.Write(record.Text(state.Outcome.Result, q.module, cause.Findings{Verdict: state.Verdict,
			Kernel: state.Outcome.Kernel}, state.Idle, e))
		_, _ = io.WriteString(w, "\nModule configuration:\n"+h.Config.Get().ModuleYAML(q.module.Name))
		return
	}
	h.write(w, r, e)
}

// detailed makes answers with debug=true, which may be a hundred times as long as samples, wait to be taken as others
// do. Samples are written whole, at once.
func (h *ProbeHandler) detailed(answers *spools) http.Handler {
	kept := answers.buffered(h.ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "debug") && r.URL.Query().Get("debug") == "true" {
			kept(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// write writes the answer whole: in pieces it would be a system call for each.
func (h *ProbeHandler) write(w http.ResponseWriter, r *http.Request, e *metrics.Exposition) {
	buffer, ok := h.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	defer h.buffers.Put(buffer)
	buffer.Reset()
	format := negotiate(w, r)
	_ = e.WriteTo(buffer, format) // a buffer takes everything
	_ = metrics.CloseOpenMetrics(buffer, format)
	w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
	writeCorked(w, r, buffer.Bytes())
}

// probe probes what is asked for; the state has an outcome if there is no error.
func (h *ProbeHandler) probe(ctx context.Context, q *question) (watch.State, error) {
	if q.configured != nil {
		state, _ := h.Watch.ProbeTarget(ctx, q.configured.Name, q.timeout)
		if state.Outcome == nil {
			return state, watch.ErrNotStarted
		}
		return state, nil
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	return h.Watch.Probe(ctx, q.target, q.module)
}

// LogProbe writes one line for each probe. A probe that its client cancelled is no evidence about the target.
func LogProbe(logger *slog.Logger, r *result.Result) {
	level, text := slog.LevelDebug, "probe succeeded"
	if f := r.Failure; f != nil {
		text = "probe failed"
		if f.Reason != result.Abandoned {
			level = slog.LevelInfo
		}
	}
	if bug := r.Panicked(); bug != nil {
		logger.Error("Recovered a panic of a probe, please report this bug", "module", r.Module, "target", r.URL,
			"panic", bug.Value, "stack", string(bug.Stack))
	}
	if !logger.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{slog.String("module", r.Module), slog.String("target", r.URL)}
	if f := r.Failure; f != nil {
		attrs = append(attrs, slog.String("phase", string(f.Phase)), slog.String("reason", string(f.Reason)),
			slog.String("errno", result.ErrnoName(f.Errno)), slog.String("origin", string(f.Origin)),
			slog.Any("err", f.Err))
		if denied, is := errors.AsType[*result.DeniedError](f.Err); is { // the log is the operator's, answers are not
			attrs = append(attrs, slog.Any("denied_address", denied.Addr), slog.Any("denied_network", denied.Network))
		}
	}
	logger.LogAttrs(context.Background(), level, text, append(attrs, slog.Duration("duration", r.Elapsed))...)
}

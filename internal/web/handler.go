package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/internal/cause"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
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
	Histograms     config.Histograms // of targets that have no choice of their own; empty: auto

	buffers     sync.Pool // *bytes.Buffer, of answers
	expositions sync.Pool // *metrics.Exposition
}

// ServeHTTP answers 200 with the probe's samples, also when the probe failed, 400 to the client's mistakes, 403 where
// the policy forbids the target, and 503 when the exporter itself could not probe in time.
func (h *ProbeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuestion(r, h.Config.Get(), h.TimeoutOffset)
	if err != nil {
		h.refuseQuestion(w, r, &q, err)
		return
	}
	leave, err := h.Requests.enter(&q)
	if err != nil {
		refuseForNow(w, err)
		return
	}
	defer leave()
	answerBy(w, q.timeout+answerTimeout)
	state, err := h.probe(r.Context(), &q)
	answerBy(w, answerTimeout)
	switch {
	case err != nil:
		h.refuseProbe(w, r, &q, err)
	case r.Context().Err() == nil: // the client has not disconnected
		h.answer(w, r, &q, &state)
	}
}

// refuseForNow answers where a later request may be answered.
func refuseForNow(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", "1")
	refuse(w, err.Error(), http.StatusServiceUnavailable)
}

// answer answers with the probe's samples, or with its record. Samples are written whole: in pieces it would be a
// system call for each.
func (h *ProbeHandler) answer(w http.ResponseWriter, r *http.Request, q *question, state *watch.State) {
	if q.debug {
		h.debug(w, q, state)
		return
	}
	samples := h.samples(negotiate(w, r), state)
	defer h.buffers.Put(samples)
	w.Header().Set("Content-Length", strconv.Itoa(samples.Len()))
	writeCorked(w, r, samples.Bytes())
}

// samples renders a probe's samples into one of the buffers.
func (h *ProbeHandler) samples(format expfmt.Format, state *watch.State) *bytes.Buffer {
	e, ok := h.expositions.Get().(*metrics.Exposition)
	if !ok {
		e = metrics.NewExposition()
	}
	defer h.expositions.Put(e)
	e.Reset(format)
	e.Show(metrics.Single)
	expose(e, state, h.Histograms)
	buffer, ok := h.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	buffer.Reset()
	_ = e.Write(buffer) // a buffer takes everything
	return buffer
}

// debug answers with the probe's record.
func (h *ProbeHandler) debug(w http.ResponseWriter, q *question, state *watch.State) {
	samples := metrics.NewExposition()
	samples.Reset(expfmt.NewFormat(expfmt.TypeTextPlain))
	expose(samples, state, h.Histograms)
	plainText(w)
	// fails only if the client is gone
	_, _ = w.Write(record.Text(state.Outcome.Result, q.module, cause.Findings{Verdict: state.Verdict,
		Kernel: state.Outcome.Kernel}, state.Idle, samples))
	_, _ = io.WriteString(w, "\nModule configuration:\n"+h.Config.Get().ModuleYAML(q.module.Name))
}

// detailed makes answers with debug=true, which may be a hundred times as long as samples, wait to be taken as others
// do. Samples are written whole, at once.
func (h *ProbeHandler) detailed(answers *spools) http.HandlerFunc {
	kept := answers.buffered(h.ServeHTTP)
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "debug") && r.URL.Query().Get("debug") == "true" {
			kept(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}
}

// probe probes what is asked for; the state has an outcome if there is no error.
func (h *ProbeHandler) probe(ctx context.Context, q *question) (watch.State, error) {
	if q.configured != nil {
		return h.probeConfigured(ctx, q)
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	return h.Watch.Probe(ctx, q.target, q.module)
}

func (h *ProbeHandler) probeConfigured(ctx context.Context, q *question) (watch.State, error) {
	state, _ := h.Watch.ProbeTarget(ctx, q.configured.Name, q.timeout)
	if state.Outcome == nil {
		return state, watch.ErrNotStarted
	}
	return state, nil
}

// A target that cannot be probed is refused: 400 where it is no URL, 403 where the policy denies it. With
// --web.blackbox-compatible-errors it is answered as blackbox_exporter does, with 200 and probe_success 0, so that
// alerts on probe_success alone fire. Nothing of it is kept.

// refuseQuestion answers a request that asks for no probe that can be made.
func (h *ProbeHandler) refuseQuestion(w http.ResponseWriter, r *http.Request, q *question, err error) {
	if _, unknown := errors.AsType[unknownModule](err); unknown && h.UnknownModule != nil {
		h.UnknownModule()
	}
	bad, isBad := errors.AsType[*badTarget](err)
	denied := errors.Is(err, errConfiguredOnly)
	if h.BlackboxErrors && q.module != nil && (isBad || denied) {
		f := result.Failure{Phase: result.Resolve, Reason: result.ProbeConfig, Origin: result.Self, Err: err}
		if denied {
			f.Reason = result.LocalDenied
		} else {
			q.target.URL = &url.URL{Opaque: module.WithoutSecrets(bad.raw)}
		}
		if timeout, bad := budget(r.Header.Get(scrapeTimeoutHeader), q.module.Timeout, h.TimeoutOffset); bad == nil {
			q.timeout = timeout
		}
		h.answer(w, r, q, unprobed(q, f))
		return
	}
	status := http.StatusBadRequest
	if denied {
		status = http.StatusForbidden
	}
	refuse(w, err.Error(), status)
}

// refuseProbe answers where no probe was made, or one whose client has disconnected.
func (h *ProbeHandler) refuseProbe(w http.ResponseWriter, r *http.Request, q *question, err error) {
	if denied, ok := errors.AsType[*result.DeniedError](err); ok {
		h.refuseDenied(w, r, q, denied)
	} else if r.Context().Err() == nil {
		refuse(w, err.Error(), http.StatusServiceUnavailable)
	}
}

// refuseDenied answers for a target whose address the policy denies.
func (h *ProbeHandler) refuseDenied(w http.ResponseWriter, r *http.Request, q *question, denied *result.DeniedError) {
	if !h.BlackboxErrors {
		refuse(w, "target "+q.module.MaskURL(q.target.URL)+": "+denied.Error(), http.StatusForbidden)
		return
	}
	h.answer(w, r, q, unprobed(q, result.Failure{Phase: result.Connect, Reason: result.LocalDenied, Origin: result.Self,
		Err: denied}))
}

// unprobed is what is known of a target that was not probed.
func unprobed(q *question, f result.Failure) *watch.State {
	shown := q.module.MaskURL(q.target.URL)
	if q.target.URL.Opaque != "" {
		shown = q.target.URL.Opaque
	}
	r := result.Unprobed(result.Target{URL: q.target.URL, Host: q.target.Host}, shown, q.module.Name, f)
	r.Timeout = q.timeout
	return &watch.State{Module: q.module, Totals: new(state.Totals),
		Outcome: &target.Outcome{Result: &r, Ended: r.Start, Reliable: true}}
}

// Requests bounds the requests to /probe under way, so that as many as anybody may send leave room for /metrics.
type Requests struct {
	adHoc, named chan struct{}
}

// NewRequests returns the bounds for so many connections: a half may ask for ad hoc probes, a quarter for configured
// targets by name.
func NewRequests(connections int) *Requests {
	return &Requests{adHoc: make(chan struct{}, max(1, connections/2)),
		named: make(chan struct{}, max(1, connections/4))}
}

// enter reports whether a request may go on, and returns what ends it. A nil *Requests bounds nothing.
func (b *Requests) enter(q *question) (leave func(), err error) {
	if b == nil {
		return func() {}, nil
	}
	room, kind := b.adHoc, "of targets that are not configured"
	if q.configured != nil {
		room, kind = b.named, "by target=NAME"
	}
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	default:
		return nil, fmt.Errorf("the exporter has %d requests to /probe %s under way, and no room for more: ask again "+
			"later, or raise its limit of file descriptors", cap(room), kind)
	}
}

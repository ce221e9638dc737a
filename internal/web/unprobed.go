package web

import (
	"errors"
	"net/http"
	"net/url"

	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A target that cannot be probed is refused: 400 where it is no URL, 403 where the policy denies it. With
// --web.blackbox-compatible-errors it is answered as blackbox_exporter does, with 200 and probe_success 0, so that
// alerts on probe_success alone fire. Nothing of it is kept.

// badTarget is the error of a target that is not the URL of something to probe.
type badTarget struct {
	raw string
	err error
}

func (b *badTarget) Error() string { return b.err.Error() }

func (b *badTarget) Unwrap() error { return b.err }

// refuseQuestion answers a request that asks for no probe that can be made.
func (h *ProbeHandler) refuseQuestion(w http.ResponseWriter, r *http.Request, q *question, err error) {
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

// parseTarget reads a target. What is no URL is decoded once more: some clients encode targets twice, as
// blackbox_exporter accepts them.
func parseTarget(raw string) (prober.Target, error) {
	t, err := prober.ParseTarget(raw)
	if err == nil {
		return t, nil
	}
	if decoded, bad := url.PathUnescape(raw); bad == nil && decoded != raw {
		if again, bad := prober.ParseTarget(decoded); bad == nil {
			return again, nil
		}
	}
	return t, err
}

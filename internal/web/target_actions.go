package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"errno_exporter/internal/watch"
	"errno_exporter/prober/module"
)

// What a person may have done to a target: a probe now, or experiments after one that fails. Both are POST, so that no
// link and no crawler starts them, and sameOrigin refuses those of other sites' pages.

const (
	actionEvery   = 5 * time.Second  // between two actions on one target
	actionTimeout = 30 * time.Second // of a probe whose module has no timeout
	// how long the answer waits for experiments: the record has them as soon as they are made
	experimentsWait = 30 * time.Second
	maxActionBody   = 1 << 10 // bytes of the form
)

// actions bounds how often a person may have something done to each target.
type actions struct {
	mu   sync.Mutex // guards what follows
	last map[string]time.Time
}

// begin reports whether an action on a target may begin, and if not for how long it may not.
func (a *actions) begin(name string, now time.Time) (wait time.Duration, may bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := actionEvery - now.Sub(a.last[name]); wait > 0 {
		return wait, false
	}
	for known, at := range a.last { // so that it never has more targets than are acted on in this time
		if now.Sub(at) >= actionEvery {
			delete(a.last, known)
		}
	}
	if a.last == nil {
		a.last = map[string]time.Time{}
	}
	a.last[name] = now
	return 0, true
}

// act answers POST /targets/NAME with action=probe or action=diagnose, and leads to the record.
func (e *Endpoints) act(a *actions) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		action, err := actionOf(w, r)
		if err != nil {
			refuse(w, err.Error(), http.StatusBadRequest)
			return
		}
		name, c := r.PathValue("name"), e.Probe.Config.Get()
		t := c.Find(name)
		if t == nil || !c.Scraped(t) {
			e.refuseTarget(w, name)
			return
		}
		leave, err := e.Probe.Requests.enter(&question{configured: t})
		if err != nil {
			w.Header().Set("Retry-After", "1")
			refuse(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer leave()
		if wait, may := a.begin(name, time.Now()); !may {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			refuse(w, fmt.Sprintf("this target was probed by hand less than %s ago, try again in %.0f s", actionEvery,
				math.Ceil(wait.Seconds())), http.StatusTooManyRequests)
			return
		}
		timeout := actionTimeout
		if t.Module.Timeout > 0 {
			timeout = t.Module.Timeout
		}
		answerBy(w, timeout+experimentsWait+answerTimeout)
		probed := e.done(r, action, timeout)
		answerBy(w, answerTimeout)
		e.leadTo(w, r, &probed)
	}
}

// actionOf is what the form asks for.
func actionOf(w http.ResponseWriter, r *http.Request) (string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxActionBody)
	if err := r.ParseForm(); err != nil {
		return "", fmt.Errorf("the form cannot be read: %w", err)
	}
	for name := range r.Form {
		if name != "action" {
			return "", fmt.Errorf("parameter %q is unknown, want action", module.Shortened(name))
		}
	}
	action := r.Form.Get("action")
	if action != "probe" && action != "diagnose" {
		return "", fmt.Errorf("action %q is unknown, want probe or diagnose", module.Shortened(action))
	}
	return action, nil
}

// done makes the probe, and where experiments are wanted waits for them for a while.
func (e *Endpoints) done(r *http.Request, action string, timeout time.Duration) watch.State {
	if action == "probe" {
		state, _ := e.Probe.Watch.ProbeNow(r.Context(), r.PathValue("name"), timeout)
		return state
	}
	state, experiments := e.Probe.Watch.DiagnoseNow(r.Context(), r.PathValue("name"), timeout)
	if experiments != nil {
		select {
		case <-experiments:
		case <-r.Context().Done():
		case <-time.After(experimentsWait):
		}
	}
	return state
}

// leadTo redirects to the record of a probe, or where none is kept to the target's page.
func (e *Endpoints) leadTo(w http.ResponseWriter, r *http.Request, probed *watch.State) {
	if probed.Outcome == nil {
		refuse(w, watch.ErrNotStarted.Error(), http.StatusServiceUnavailable)
		return
	}
	root := rootFrom(r.URL.EscapedPath())
	to := root + targetPath(r.PathValue("name"))
	if id := probed.Outcome.Record; e.History.Has(id) {
		to = fmt.Sprintf("%shistory/%s", root, id)
	}
	w.Header().Set("Location", to) // relative, as what is before it is not known behind a proxy (RFC 9110, 10.2.2)
	w.WriteHeader(http.StatusSeeOther)
}

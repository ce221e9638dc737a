package web

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Lifecycle is the exporter's own life as seen over HTTP: whether it is ready, and reloading its configuration.
type Lifecycle struct {
	Reload  func() error // loads the configuration again; the error says what is wrong with it
	Enabled bool         // answer /-/reload

	mu       sync.Mutex // one reload at a time
	draining atomic.Bool
	failed   atomic.Pointer[error] // what the last reload failed by; nil if it did not
}

// Failed is what was wrong at the last reload, nil if that was good.
func (l *Lifecycle) Failed() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Drain makes /-/ready answer 503: no new scrapes, please.
func (l *Lifecycle) Drain() { l.draining.Store(true) }

// Again reloads the configuration, one reload at a time.
func (l *Lifecycle) Again() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.Reload()
	if l.failed.Store(nil); err != nil {
		l.failed.Store(&err)
	}
	return err
}

// handle adds the endpoints.
func (l *Lifecycle) handle(mux *http.ServeMux) {
	mux.HandleFunc("/-/reload", l.reload)
	mux.HandleFunc("GET /-/ready", l.ready)
}

// reload answers POST and PUT: 200 when the new configuration is in force, 500 with the reason when the old one stays.
func (l *Lifecycle) reload(w http.ResponseWriter, r *http.Request) {
	if !l.Enabled {
		http.Error(w, "reloading over HTTP is switched off: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", strings.Join([]string{http.MethodPost, http.MethodPut}, ", "))
		http.Error(w, "reloading wants POST or PUT", http.StatusMethodNotAllowed)
		return
	}
	if err := l.Again(); err != nil {
		http.Error(w, "the running configuration stays: "+err.Error(), http.StatusInternalServerError)
	}
}

func (l *Lifecycle) ready(w http.ResponseWriter, _ *http.Request) {
	if l.draining.Load() {
		http.Error(w, "errno_exporter is shutting down", http.StatusServiceUnavailable)
		return
	}
	plainText(w)
	_, _ = io.WriteString(w, "errno_exporter is ready\n") // an asker who has gone is no one to tell
}

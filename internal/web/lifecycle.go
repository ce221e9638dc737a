package web

import (
	"context"
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

	mu     sync.Mutex            // one reload at a time
	failed atomic.Pointer[error] // what the last reload failed by; nil if it did not

	drain    sync.Mutex // guards what follows
	draining bool
	asking   int           // requests that probe
	idle     chan struct{} // closed when there is none any more; nil unless somebody waits
}

// Failed is what was wrong at the last reload, nil if that was good.
func (l *Lifecycle) Failed() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Drain makes /-/ready and new scrapes answer 503, waits for those under way, and reports whether they ended before the
// context did.
func (l *Lifecycle) Drain(ctx context.Context) bool {
	l.drain.Lock()
	l.draining = true
	idle := make(chan struct{})
	if l.asking == 0 {
		close(idle)
	} else {
		l.idle = idle
	}
	l.drain.Unlock()
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}

// probes counts the requests that probe, and refuses them while draining.
func (l *Lifecycle) probes(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		l.drain.Lock()
		if l.draining {
			l.drain.Unlock()
			shuttingDown(w)
			return
		}
		l.asking++
		l.drain.Unlock()
		defer l.answered()
		answer(w, r)
	}
}

func (l *Lifecycle) answered() {
	l.drain.Lock()
	defer l.drain.Unlock()
	if l.asking--; l.asking == 0 && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

func shuttingDown(w http.ResponseWriter) {
	refuse(w, "errno_exporter is shutting down", http.StatusServiceUnavailable)
}

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
		refuse(w, "reloading over HTTP is switched off: start with --web.enable-lifecycle, or send SIGHUP",
			http.StatusForbidden)
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", strings.Join([]string{http.MethodPost, http.MethodPut}, ", "))
		refuse(w, "reloading wants POST or PUT", http.StatusMethodNotAllowed)
		return
	}
	if err := l.Again(); err != nil {
		refuse(w, "the running configuration stays: "+err.Error(), http.StatusInternalServerError)
	}
}

func (l *Lifecycle) ready(w http.ResponseWriter, _ *http.Request) {
	l.drain.Lock()
	draining := l.draining
	l.drain.Unlock()
	if draining {
		shuttingDown(w)
		return
	}
	plainText(w)
	_, _ = io.WriteString(w, "errno_exporter is ready\n") // fails only if the client is gone
}

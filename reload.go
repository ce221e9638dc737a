package main

import (
	"fmt"
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"

	"errno_exporter/guard"
	"errno_exporter/internal/web"
)

// reloader reads files beside the loop that waits for signals: a file on a network file system that hangs holds up nothing else. Its methods belong
// to that loop, one piece of work runs at a time.
type reloader struct {
	logger  *slog.Logger
	life    *web.Lifecycle
	changed func() bool   // reports whether a file is not what it was
	done    chan struct{} // has an element when the work under way has ended
	busy    bool
	again   bool // a reload was asked for meanwhile
}

func newReloader(logger *slog.Logger, life *web.Lifecycle, changed func() bool) *reloader {
	return &reloader{logger: logger, life: life, changed: changed, done: make(chan struct{}, 1)}
}

// reload loads the configuration again, after the work under way.
func (r *reloader) reload() {
	if r.busy {
		r.again = true
		return
	}
	r.begin(func() { reloadNotified(r.logger, r.life) })
}

// look reloads if a file has changed, unless files are being read anyway.
func (r *reloader) look() {
	if !r.busy {
		r.begin(func() {
			if r.changed() {
				reloadNotified(r.logger, r.life)
			}
		})
	}
}

// ended takes note that the work under way has ended.
func (r *reloader) ended() {
	r.busy = false
	if r.again {
		r.again = false
		r.reload()
	}
}

func (r *reloader) begin(work func()) {
	r.busy = true
	guard.Report(func(p *guard.Panic) {
		r.logger.Error("Reloading the configuration panicked, please report this bug", "err", p)
	}).Go(func() {
		defer func() { r.done <- struct{}{} }()
		work()
	})
}

// reloadNotified reloads; what is wrong is logged there.
func reloadNotified(logger *slog.Logger, life *web.Lifecycle) {
	if now, ok := monotonic(); ok {
		notify(logger, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now))
	}
	_ = life.Again()
	notify(logger, daemon.SdNotifyReady)
}

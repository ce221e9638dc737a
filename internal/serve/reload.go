package serve

import (
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"

	"errno_exporter/guard"
)

// reloader reads files in a goroutine of its own: a network file system that hangs does not stop the loop that waits
// for signals. Its methods are called by that loop only, and it does one thing at a time.
type reloader struct {
	*Options
	done  chan struct{} // receives when what is running has ended
	busy  bool
	again bool // a reload was requested meanwhile
}

func newReloader(o *Options) *reloader { return &reloader{Options: o, done: make(chan struct{}, 1)} }

// reload loads the configuration again, after what is running.
func (r *reloader) reload() {
	if r.busy {
		r.again = true
		return
	}
	r.begin(r.reloadNotified)
}

// check reloads if a file has changed, unless files are being read already.
func (r *reloader) check() {
	if !r.busy {
		r.begin(func() {
			if r.Changed() {
				r.reloadNotified()
			}
		})
	}
}

// ended is called when what was running has ended.
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
		r.Logger.Error("Reloading the configuration panicked, please report this bug", "err", p)
	}).Go(func() {
		defer func() { r.done <- struct{}{} }()
		work()
	})
}

// reloadNotified reloads between two notifications of systemd. An error is logged where it occurs.
func (r *reloader) reloadNotified() {
	if now, ok := monotonic(); ok {
		notify(r.Logger, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now))
	}
	_ = r.Life.Again()
	notify(r.Logger, daemon.SdNotifyReady)
}

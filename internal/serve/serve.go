// Package serve runs the exporter's server: listening, signals, reloads, systemd's notifications, the memory limit, and
// shutdown.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"errno_exporter/guard"
	"errno_exporter/internal/web"
)

// Options say how to serve.
type Options struct {
	Web        *toolkit.FlagConfig
	Life       *web.Lifecycle
	Logger     *slog.Logger
	Shutdown   time.Duration // for the scrapes in progress
	AutoReload time.Duration // between checks for changed files; 0: never
	Changed    func() bool   // reports whether a file of the configuration has changed
}

// Run serves until SIGINT or SIGTERM, then lets the scrapes in progress finish. SIGHUP reloads the configuration, and
// so does a change of its files if that is enabled. systemd, if it runs us, is notified (sd_notify(3)).
func Run(server *http.Server, o Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	check, stopChecking := every(o.AutoReload)
	defer stopChecking()
	watchdog, stopWatchdog := every(watchdogInterval(o.Logger))
	defer stopWatchdog()

	var once sync.Once // there may be several listeners
	server.BaseContext = func(net.Listener) context.Context {
		once.Do(func() { notify(o.Logger, daemon.SdNotifyReady) })
		return context.Background()
	}
	ended := make(chan error, 1)
	guard.Report(func(p *guard.Panic) { ended <- p }).Go(func() {
		ended <- listenAndServe(server, &o)
	})
	files := newReloader(&o)
	for {
		select {
		case err := <-ended:
			return err
		case <-hangups:
			files.reload()
		case <-check:
			files.check()
		case <-files.done:
			files.ended()
		case <-watchdog:
			notify(o.Logger, daemon.SdNotifyWatchdog)
		case <-ctx.Done():
			stop() // the next signal ends the process at once
			notify(o.Logger, daemon.SdNotifyStopping)
			return shutdown(server, o)
		}
	}
}

// listenAndServe serves. What keeps it from that is an error with the name of the flag.
func listenAndServe(server *http.Server, o *Options) error {
	if file := o.Web.WebConfigFile; file != nil {
		if err := toolkit.Validate(*file); err != nil {
			return fmt.Errorf("--web.config.file %q: %w", *file, err)
		}
	}
	err := toolkit.ListenAndServe(server, o.Web, o.Logger)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" {
		return fmt.Errorf("--web.listen-address: %w", err)
	}
	return err
}

// every ticks at an interval; 0 never does.
func every(interval time.Duration) (ticks <-chan time.Time, stop func()) {
	if interval <= 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(interval)
	return ticker.C, ticker.Stop
}

// watchdogInterval is half the interval within which systemd requires a notification; 0 if it requires none.
func watchdogInterval(logger *slog.Logger) time.Duration {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		logger.Warn("Notifying systemd's watchdog failed", "err", err)
	}
	return interval / 2
}

// notify reports our state to systemd; without systemd it does nothing.
func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("Notifying systemd failed", "state", state, "err", err)
	}
}

// What is left at the end has this long: answers that are not scrapes, and the last lines of the log.
const (
	answerTimeout = time.Second
	LogTimeout    = time.Second
)

// shutdown waits for the scrapes in progress while /-/ready answers 503, and cuts off those that take too long.
func shutdown(server *http.Server, o Options) error {
	o.Logger.Info("Shutting down")
	ctx, cancel := context.WithTimeout(context.Background(), o.Shutdown)
	defer cancel()
	if !o.Life.Drain(ctx) {
		o.Logger.Warn("Shutdown timeout reached, closing scrapes in progress", "after", o.Shutdown)
		return server.Close()
	}
	ctx, cancel = context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return nil
}

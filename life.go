package main

import (
	"context"
	"errors"
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

// listen serves until SIGINT or SIGTERM, then lets the scrapes under way finish. SIGHUP reloads, and so does a change of the
// configuration's files if that is asked for. systemd, if it is there, is told of all this (sd_notify(3)).
func listen(server *http.Server, o options, life *web.Lifecycle, changed func() bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	look, stopLooking := every(o.autoReload)
	defer stopLooking()
	watchdog, stopWatchdog := every(watchdogInterval(o.logger))
	defer stopWatchdog()

	var once sync.Once // there may be several listeners
	server.BaseContext = func(net.Listener) context.Context {
		once.Do(func() { notify(o.logger, daemon.SdNotifyReady) })
		return context.Background()
	}
	ended := make(chan error, 1)
	guard.Report(func(p *guard.Panic) { ended <- p }).Go(func() { ended <- toolkit.ListenAndServe(server, o.web, o.logger) })
	files := newReloader(o.logger, life, changed)
	for {
		select {
		case err := <-ended:
			return err
		case <-hangups:
			files.reload()
		case <-look:
			files.look()
		case <-files.done:
			files.ended()
		case <-watchdog:
			notify(o.logger, daemon.SdNotifyWatchdog)
		case <-ctx.Done():
			stop() // the next signal ends us at once
			notify(o.logger, daemon.SdNotifyStopping)
			return shutdown(server, life, o)
		}
	}
}

// every ticks at an interval; 0 never does.
func every(interval time.Duration) (ticks <-chan time.Time, stop func()) {
	if interval <= 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(interval)
	return ticker.C, ticker.Stop
}

// watchdogInterval is how often systemd wants a sign of life, halved; 0 if it wants none.
func watchdogInterval(logger *slog.Logger) time.Duration {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		logger.Warn("Notifying systemd's watchdog failed", "err", err)
	}
	return interval / 2
}

// notify tells systemd of our state; without it nothing happens.
func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("Notifying systemd failed", "state", state, "err", err)
	}
}

// lastWords is how long answers that are not scrapes may take once we are ending.
const lastWords = time.Second

// shutdown waits for the scrapes under way, while /-/ready says 503, and cuts those off that take too long.
func shutdown(server *http.Server, life *web.Lifecycle, o options) error {
	o.logger.Info("Shutting down")
	ctx, cancel := context.WithTimeout(context.Background(), o.shutdown)
	defer cancel()
	if !life.Drain(ctx) {
		o.logger.Warn("Shutdown timeout reached, closing scrapes in progress", "after", o.shutdown)
		return server.Close()
	}
	ctx, cancel = context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return nil
}

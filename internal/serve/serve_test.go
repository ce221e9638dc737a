package serve

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"errno_exporter/internal/web"
)

// shutdown ends requests that are no scrapes, and returns though one of them does not end.
func TestShutdown(t *testing.T) {
	for _, row := range []struct {
		name  string
		hangs bool
	}{{"nothing under way", false}, {"a request that does not end", true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			arrived := make(chan struct{})
			server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
			})}
			served := make(chan error, 1)
			go func() { served <- server.Serve(l) }()
			answered := make(chan error, 1)
			if row.hangs {
				go func() { _, err := http.Get("http://" + l.Addr().String()); answered <- err }()
				<-arrived
			}
			err = shutdown(server, Options{Life: &web.Lifecycle{}, Shutdown: time.Minute,
				Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				t.Errorf("shutdown = %v", err)
			}
			if err := <-served; err != http.ErrServerClosed {
				t.Errorf("Serve = %v, want %v", err, http.ErrServerClosed)
			}
			if row.hangs && <-answered == nil {
				t.Error("the request that does not end was answered")
			}
		})
	}
}

// every ticks at its interval, and never without one.
func TestEvery(t *testing.T) {
	ticks, stop := every(time.Nanosecond)
	defer stop()
	<-ticks
	for _, interval := range []time.Duration{0, -1} {
		ticks, stop := every(interval)
		stop()
		if ticks != nil {
			t.Errorf("every(%s) ticks", interval)
		}
	}
}

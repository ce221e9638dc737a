package serve

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/web"
)

// notifications are what systemd would receive until the test ends.
func notifications(t *testing.T) <-chan string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "n")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	received := make(chan string, 100)
	go func() {
		buffer := make([]byte, 1<<10)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			received <- string(buffer[:n])
		}
	}()
	return received
}

// testReloader is a reloader whose work waits for the test: each reload receives from gate.
func testReloader(changed func() bool, gate <-chan error) (*reloader, <-chan string) {
	calls := make(chan string, 100)
	life := &web.Lifecycle{Reload: func() error { calls <- "reload"; return <-gate }}
	return newReloader(&Options{Life: life, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Changed: func() bool { calls <- "check"; return changed() }}), calls
}

// A reload that is requested while another is running follows it, once, however many were requested.
func TestReloadsFollowEachOther(t *testing.T) {
	gate := make(chan error)
	r, calls := testReloader(func() bool { return true }, gate)
	r.reload()
	if got := <-calls; got != "reload" {
		t.Fatalf("the first call is %s, want reload", got)
	}
	r.reload()
	r.reload()
	r.check() // is left out: files are being read
	gate <- nil
	<-r.done
	r.ended()
	if got := <-calls; got != "reload" {
		t.Fatalf("the second call is %s, want reload", got)
	}
	gate <- errors.New("modules: none")
	<-r.done
	r.ended()
	if r.busy || r.again || len(calls) != 0 {
		t.Errorf("busy %t, again %t, %d more calls, want none", r.busy, r.again, len(calls))
	}
	if err := r.Life.Failed(); err == nil || err.Error() != "modules: none" {
		t.Errorf("Failed = %v, want the last reload's error", err)
	}
}

// Only a change is followed by a reload.
func TestCheck(t *testing.T) {
	for _, row := range []struct {
		name    string
		changed bool
		want    []string
	}{
		{"changed", true, []string{"check", "reload"}},
		{"unchanged", false, []string{"check"}},
	} {
		gate := make(chan error, 1)
		gate <- nil
		r, calls := testReloader(func() bool { return row.changed }, gate)
		r.check()
		<-r.done
		r.ended()
		if len(calls) != len(row.want) {
			t.Errorf("%s: %d calls, want %d", row.name, len(calls), len(row.want))
		}
		for _, want := range row.want {
			if got := <-calls; got != want {
				t.Errorf("%s: %s, want %s", row.name, got, want)
			}
		}
	}
}

// A panic of a reload ends the reload, and nothing else.
func TestReloadPanics(t *testing.T) {
	var log strings.Builder
	r := newReloader(&Options{Life: &web.Lifecycle{Reload: func() error { panic("broken") }},
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	r.reload()
	<-r.done
	r.ended()
	if r.busy {
		t.Error("busy after the reload")
	}
	r.reload()
	<-r.done
	r.ended()
}

// systemd is notified before a reload, with the clock's time (sd_notify(3)), and after it, also if it failed.
func TestReloadIsNotified(t *testing.T) {
	received := notifications(t)
	gate := make(chan error, 1)
	gate <- errors.New("modules: none")
	r, _ := testReloader(func() bool { return false }, gate)
	r.reload()
	<-r.done
	first, second := <-received, <-received
	state, clock, found := strings.Cut(first, "\nMONOTONIC_USEC=")
	if state != "RELOADING=1" || !found || strings.Trim(clock, "0123456789") != "" || clock == "" {
		t.Errorf("the first notification is %q, want RELOADING=1 with MONOTONIC_USEC", first)
	}
	if second != "READY=1" {
		t.Errorf("the second notification is %q, want READY=1", second)
	}
}

// A watchdog is notified twice in its interval.
func TestWatchdogInterval(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	for _, row := range []struct {
		usec string
		want time.Duration
	}{
		{"", 0}, {"10000000", 5 * time.Second}, {"x", 0},
	} {
		t.Setenv("WATCHDOG_USEC", row.usec)
		if got := watchdogInterval(quiet); got != row.want {
			t.Errorf("WATCHDOG_USEC=%q: %s, want %s", row.usec, got, row.want)
		}
	}
}

package clients

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The columns of /proc/net/tcp that are read (proc_pid_net(5)), and what they hold.
const (
	columnPeer, columnState, columnTimer = 2, 3, 5
	established, keepaliveTimer          = "01", "02"
)

// watch records, while a client waits for an answer, whether its connection has a keepalive timer of at most 30 s. The
// client's request has to be acknowledged first: a connection shows one timer.
func (r *requests) watch(server string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); <-ticker.C {
		if left, there := keepalive(server); there {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.alive = left <= 30*time.Second
			return
		}
	}
}

func (r *requests) isAlive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alive
}

// keepalive is the time until a connection to a server is tested by TCP's keepalive.
func keepalive(server string) (left time.Duration, there bool) {
	at, err := url.Parse(server)
	if err != nil {
		return 0, false
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		return 0, false
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(table)) {
		column := strings.Fields(line)
		if len(column) <= columnTimer || column[columnState] != established {
			continue
		}
		_, peer, _ := strings.Cut(column[columnPeer], ":")
		timer, when, _ := strings.Cut(column[columnTimer], ":")
		to, err := strconv.ParseInt(peer, 16, 32)
		ticks, wrong := strconv.ParseInt(when, 16, 64)
		if err == nil && wrong == nil && int(to) == port && timer == keepaliveTimer {
			return time.Duration(ticks) * time.Second / 100, true // in USER_HZ
		}
	}
	return 0, false
}

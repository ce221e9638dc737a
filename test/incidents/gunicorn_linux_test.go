package incidents

import (
	"syscall"

	"errno_exporter/internal/faultlab/netlab"
)

// wsgi does what its file says; one file per port.
const wsgi = `
import os, time
def app(environ, start):
    path = 'DIR/flag/gunicorn' + environ['SERVER_PORT']
    fault = open(path).read() if os.path.exists(path) else ''
    if fault == 'exit': os._exit(1)
    if fault == 'sleep': time.sleep(60)
    if fault == 'raise': raise Exception('bug')
    start('200 OK', [('Content-Length', '2')])
    return [b'ok']
`

// startGunicorn starts servers with threads: a worker without reads one request after the other, and a client whose
// packets are lost has all others wait.
func startGunicorn(s *site) {
	s.write("wsgi.py", wsgi)
	ports := []string{"8601", "8602", "8603", "8604", "8605", "8606"}
	for _, port := range ports {
		s.own(port, s.start(netlab.S, "gunicorn", "--chdir", s.dir, "--bind", "0.0.0.0:"+port, "--log-level", "critical",
			"--threads", "16", "--keep-alive", "1", "--worker-tmp-dir", s.dir, "wsgi:app"))
	}
	s.starting = append(s.starting, ports...)
	// One worker without threads reads from one connection after the other.
	for port, backlog := range map[string]string{"8607": "1", "8608": "512"} {
		s.start(netlab.S, "gunicorn", "--chdir", s.dir, "--bind", "0.0.0.0:"+port, "--log-level", "critical",
			"--backlog", backlog, "--timeout", "0", "--worker-tmp-dir", s.dir, "wsgi:app")
	}
	s.starting = append(s.starting, "8607", "8608")
	s.answering = append(s.answering, func() {
		s.occupy("8608")
		s.occupy("8607")
		s.fill("8607")
	})
}

func ofGunicorn() []incident {
	becomes := func(port, fault string) func(*site) {
		return func(s *site) { s.write("flag/gunicorn"+port, fault) }
	}
	at := func(port, name, labels, right string, happen func(*site)) incident {
		return incident{name: "gunicorn: " + name, needs: "gunicorn", url: "http://ADDRESS:" + port + "/", labels: labels,
			party: "server", right: right, happen: happen}
	}
	exits := at("8603", "the worker exits at a request",
		"processing tcp.closed - peer|processing tcp.reset ECONNRESET peer|processing http.response.timed_out - self",
		"server_aborts|server_restarted|server_unresponsive",
		becomes("8603", "exit"))
	exits.often = 10
	busy := at("8608", "its only worker waits for another client", "processing http.response.timed_out - self",
		"server_unresponsive|connection_limit", nil)
	full := at("8607", "its only worker is busy, its backlog of 1 is full", queueFull,
		"accept_queue_full|server_unresponsive|connection_limit", nil)
	busy.was, full.was = "8109", "8109"
	return []incident{
		busy, full,
		at("8601", "its only worker sleeps", "processing http.response.timed_out - self", "server_unresponsive",
			becomes("8601", "sleep")),
		at("8602", "an exception: 500", "validate http.error - -", "server_error", becomes("8602", "raise")),
		exits,
		at("8604", "killed", "connect tcp.refused ECONNREFUSED peer", "server_restarted|not_listening",
			func(s *site) { s.owned("8604").kill() }),
		at("8605", "healthy, reloaded by SIGHUP", "", "",
			func(s *site) { s.master("8605", syscall.SIGHUP) }),
	}
}

package incidents

import "errno_exporter/internal/faultlab/netlab"

// nodeScript serves at several ports. Once a port's file is there, it does what the port's fault says.
const nodeScript = `
const http = require('http'), fs = require('fs');
const faults = {
  8501: (q, a) => {},
  8502: (q, a) => q.socket.destroy(),
  8503: (q, a) => q.socket.resetAndDestroy(),
  8504: (q, a) => { a.writeHead(200, {'Content-Length': 5000}); a.write('x'.repeat(2000), () => q.socket.destroy()); },
  8505: (q, a) => q.socket.end('what is this\r\n\r\n'),
  8506: (q, a) => setTimeout(() => a.end('late'), 9000),
  8507: (q, a) => setTimeout(() => a.end('ok'), 400),
  8508: (q, a) => { a.writeHead(q.method === 'POST' ? 500 : 200); a.end(); },
  8509: (q, a) => q.headers['x-odd'] ? q.socket.resetAndDestroy() : a.end('ok'),
  8510: (q, a) => { a.writeHead(429, {'Retry-After': '5'}); a.end(); },
  8511: (q, a) => { a.writeHead(403, {'X-RateLimit-Remaining': '0', 'Retry-After': '60'}); a.end(); },
  8512: (q, a) => { a.writeHead(503, {'Retry-After': '5'}); a.end(); },
  8513: (q, a) => { a.writeHead(200, {'Connection': 'close'}); a.end('ok'); },
  8514: (q, a) => { a.write('x'.repeat(3000)); },
  8515: (q, a) => { a.writeHead(503); a.end('no healthy upstream'); },
};
for (const port in faults) {
  http.createServer((q, a) => {
    if (fs.existsSync('DIR/flag/node' + port)) return faults[port](q, a);
    a.end('ok');
  }).listen(port);
}
`

// nodeIdle ends idle connections, and says so before.
const nodeIdle = `
require('http').createServer({keepAliveTimeout: 1000}, (q, a) => a.end('ok')).listen(8523);`

// nodeCrashes ends at the first request after its file is there; nodeBlocks has its event loop blocked by one.
const (
	nodeCrashes = `require('http').createServer((q, a) => {
  if (require('fs').existsSync('DIR/flag/node8521')) throw new Error('bug');
  a.end('ok'); }).listen(8521);`
	nodeBlocks = `require('http').createServer((q, a) => {
  if (require('fs').existsSync('DIR/flag/node8522')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  a.end('ok'); }).listen(8522);`
)

func startNode(s *site) {
	s.start(netlab.S, "node", s.write("shared.js", nodeScript+nodeIdle))
	s.start(netlab.S, "node", s.write("crashes.js", nodeCrashes))
	s.start(netlab.S, "node", s.write("blocks.js", nodeBlocks))
	s.await("8501", "8523", "8521", "8522")
}

func ofNode() []incident {
	status, hangs := "validate http.error - -", "processing http.response.timed_out - self"
	closed, reset := "processing tcp.closed - peer", "processing tcp.reset ECONNRESET peer"
	flagged := func(port, name, labels, party, right string) incident {
		return incident{name: "nodejs: " + name, needs: "nodejs", url: "http://ADDRESS:" + port + "/", labels: labels,
			party: party, right: right, happen: raise("node" + port)}
	}
	with := func(module string, i incident) incident {
		i.module = module
		return i
	}
	often := func(i incident) incident {
		i.often = 10
		return i
	}
	return []incident{
		flagged("8501", "never answers", hangs, "server", "server_unresponsive"),
		flagged("8502", "socket.destroy()", closed, "server", "server_aborts"),
		often(flagged("8503", "resetAndDestroy()", reset, "server", "server_aborts")),
		often(flagged("8504", "the body is cut", "transfer tcp.closed - peer|transfer tcp.reset ECONNRESET peer", "server",
			"server_aborts|server_error")),
		flagged("8505", "no HTTP", "transfer http.protocol.error - peer", "server",
			"server_error"),
		flagged("8506", "answers after nine seconds", hangs, "server|us",
			"server_unresponsive|timeout_too_short|server_overloaded"),
		flagged("8507", "healthy, answers in 400 ms", "", "", ""),
		with("posts", flagged("8508", "500 to POST, 200 to GET", status, "server", "server_error")),
		with("odd", often(flagged("8509", "requests with a certain header are reset", reset, "us|server",
			"request_rejected|server_aborts"))),
		flagged("8510", "429 with Retry-After", "validate http.rate_limited - -", "server", "rate_limited"),
		flagged("8511", "403 with X-RateLimit-Remaining: 0", status+"|validate http.rate_limited - -", "server",
			"rate_limited"),
		flagged("8512", "503 with Retry-After 5", "validate http.rate_limited - -", "server",
			"server_error|server_overloaded|maintenance|upstream_failed"),
		flagged("8513", "healthy, announces that it closes", "", "", ""),
		flagged("8514", "the body stops", "transfer http.response.timed_out - self", "server", "server_unresponsive"),
		flagged("8515", "503, no healthy upstream", status, "server", "upstream_failed"),
		often(flagged("8521", "crashes at a request", closed+"|"+reset+"|connect tcp.refused ECONNREFUSED peer", "server",
			"server_restarted|server_aborts|not_listening")),
		flagged("8522", "the event loop is blocked", hangs, "server", "server_unresponsive"),
	}
}

package incidents

import (
	"errno_exporter/internal/faultlab/netlab"
)

// haproxyFaults are what haproxy does at a port, once the port's file of flags has an entry.
var haproxyFaults = map[string]string{
	"8301": "http-request reject if bad",
	"8302": "http-request silent-drop if bad",
	"8303": "tcp-request connection reject if bad",
	"8304": "use_backend none if bad",
	"8305": "use_backend refusing if bad",
	"8306": "use_backend hanging if bad",
	"8307": "use_backend closing if bad",
	"8308": "http-request deny if bad",
	"8309": "http-request deny deny_status 429 if bad",
	"8310": "http-request tarpit if bad",
	"8311": "http-request return status 503 hdr Retry-After 600 if bad",
	"8312": "http-request deny deny_status 500 if bad",
	"8313": "tcp-request connection silent-drop if bad",
}

// startHAProxy starts haproxy with a frontend for each fault. A map at runtime switches them: its key is the port.
func startHAProxy(s *site) {
	config := "global\n  stats socket DIR/haproxy.sock mode 600 level admin\n  maxconn 2000\n" +
		"defaults\n  mode http\n  timeout connect 300ms\n  timeout client 5s\n  timeout server 300ms\n  timeout tarpit 9s\n" +
		"  retries 1\n" +
		"backend good\n  http-request return status 200 content-type text/plain string ok\n" +
		"backend none\n" +
		"backend refusing\n  server a 127.0.0.1:9\n" +
		"backend hanging\n  server a 127.0.0.1:8901\n" +
		"backend closing\n  server a 127.0.0.1:8903\n" +
		"listen dead_tcp\n  mode tcp\n  bind *:8320\n  server a 127.0.0.1:9\n" +
		"listen closing_tcp\n  mode tcp\n  bind *:8321\n  server a 127.0.0.1:8903\n" +
		"frontend busy\n  bind *:8322\n  maxconn 1\n  timeout client 600s\n  timeout http-request 600s\n" +
		"  default_backend good\n" +
		"listen queue\n  bind *:8328\n  timeout queue 300ms\n  timeout server 600s\n  timeout client 600s\n" +
		"  server a 127.0.0.1:8901 maxconn 1\n" +
		"frontend limit\n  bind *:8329\n  timeout client 600s\n  timeout http-request 600s\n" +
		"  stick-table type integer size 10 expire 1h store conn_cur\n  tcp-request connection track-sc0 dst_port\n" +
		"  tcp-request connection reject if { sc0_conn_cur gt 1 }\n  default_backend good\n" +
		"frontend strict\n  bind *:8323 ssl crt DIR/both.pem strict-sni\n  default_backend good\n" +
		"frontend anyname\n  bind *:8326 ssl crt DIR/both.pem\n  default_backend good\n" +
		"backend truncating\n  server a 127.0.0.1:8902\n" +
		"frontend h2reject\n  bind *:8330 ssl crt DIR/both.pem alpn h2\n  http-request reject\n" +
		"frontend h2closing\n  bind *:8331 ssl crt DIR/both.pem alpn h2\n  default_backend closing\n" +
		"frontend h2truncating\n  bind *:8332 ssl crt DIR/both.pem alpn h2\n  default_backend truncating\n" +
		"frontend well\n  bind *:8327\n  default_backend good\n" +
		"frontend idle\n  bind *:8325\n  timeout http-keep-alive 1s\n  default_backend good\n" +
		"frontend closes\n  bind *:8324\n  option httpclose\n  default_backend good\n"
	for port, fault := range haproxyFaults {
		config += "frontend f" + port + "\n  bind *:" + port + "\n  acl bad str(" + port +
			"),map(DIR/haproxy.map) -m found\n  " + fault + "\n  default_backend good\n"
	}
	s.write("haproxy.map", "none none\n")
	s.write("both.pem", certificatePEM()+labKey())
	s.start(netlab.S, "haproxy", "-db", "-f", s.write("haproxy.cfg", config))
	s.await("8301", "8320", "8324")
	s.fill("8322") // one is accepted, the others wait in a queue as long as maxconn
	s.hold("8328")
	s.occupy("8329")
}

// inMap switches a fault of haproxy on.
func inMap(port string) func(*site) {
	return func(s *site) { s.unix("haproxy.sock", "add map "+s.path("haproxy.map")+" "+port+" on\n") }
}

func ofHAProxy() []incident {
	mapped := func(port, name, labels, party, right string) incident {
		return incident{name: "haproxy: " + name, needs: "haproxy", url: "http://ADDRESS:" + port + "/", labels: labels,
			party: party, right: right, happen: inMap(port)}
	}
	status := "validate http.error - -"
	ends := "processing tcp.closed - peer|processing tcp.reset ECONNRESET peer|request tcp.reset ECONNRESET peer|" +
		"request tcp.reset EPIPE peer|request tcp.closed EPIPE peer|request tcp.closed - peer|" +
		"connect tcp.reset ECONNRESET peer"
	rejected := mapped("8303", "tcp-request connection reject", ends, "server", "server_aborts")
	rejected.often = 10
	closing := incident{name: "haproxy: TCP mode, the backend closes", needs: "haproxy", url: "http://ADDRESS:8321/",
		labels: ends, party: "server", right: "server_aborts", often: 10, was: "8327"}
	limited := incident{name: "haproxy: conn_cur is reached, tcp-request connection reject", needs: "haproxy",
		url: "http://ADDRESS:8329/", labels: ends, party: "server", right: "server_aborts|connection_limit", often: 10,
		was: "8327"}
	overHTTP2 := func(port, name, labels, right string) incident {
		return incident{name: "haproxy: HTTP/2, " + name, needs: "haproxy", url: "https://ADDRESS:" + port + "/",
			labels: labels, party: "server", right: right, was: "8326"}
	}
	return []incident{
		limited,
		overHTTP2("8330", "http-request reject", "processing h2.throttled - peer", "server_aborts"),
		overHTTP2("8331", "the backend closes", "processing h2.stream_refused - peer|validate http.error - -",
			"server_aborts|upstream_failed"),
		overHTTP2("8332", "the backend ends in the middle of the body", "transfer http.response.invalid - peer",
			"server_aborts|upstream_failed"),
		{name: "haproxy: maxconn is reached, the queue is full", needs: "haproxy", url: "http://ADDRESS:8322/",
			labels: queueFull, party: "server", right: "accept_queue_full|connection_limit|server_unresponsive",
			was: "8327"},
		{name: "haproxy: 503, a server's maxconn is reached, timeout queue", needs: "haproxy",
			url: "http://ADDRESS:8328/", labels: status, party: "server",
			right: "upstream_failed|connection_limit|server_overloaded", was: "8327"},
		mapped("8301", "http-request reject", ends, "server", "server_aborts"),
		mapped("8302", "http-request silent-drop",
			"processing http.response.timed_out - self|processing tcp.aborted - self|"+
				"processing tcp.reset ECONNRESET peer", "server",
			"server_unresponsive|server_aborts"),
		rejected,
		mapped("8304", "503, a backend without servers", status, "server", "upstream_failed"),
		mapped("8305", "503, the backend refuses", status, "server", "upstream_failed"),
		mapped("8306", "504, the backend hangs", status, "server", "upstream_failed"),
		mapped("8307", "502, the backend closes", status, "server", "upstream_failed"),
		mapped("8308", "403, deny", status, "server", "request_rejected"),
		mapped("8309", "429, deny", "validate http.rate_limited - -", "server", "rate_limited"),
		mapped("8310", "tarpit", "processing http.response.timed_out - self", "server", "server_unresponsive"),
		mapped("8311", "503 with Retry-After 600", "validate http.rate_limited - -", "server",
			"maintenance|server_error|server_overloaded"),
		mapped("8312", "500, deny", status, "server", "server_error"),
		{name: "haproxy: TCP mode, the backend refuses", needs: "haproxy", url: "http://ADDRESS:8320/", labels: ends,
			party: "server", right: "server_aborts|upstream_failed", often: 10, was: "8327"},
		closing,
		{name: "haproxy: strict-sni, another name", needs: "haproxy", url: "https://ADDRESS:8323/", module: "named", was: "8326",
			labels: "tls tls.unrecognized_name - peer|tls tls.version_or_cipher_mismatch - peer|tls tls.failed - peer",
			party:  "us|server", right: "tls_mismatch"},
		{name: "haproxy: healthy, closes after each answer", needs: "haproxy", url: "http://ADDRESS:8324/"},
	}
}

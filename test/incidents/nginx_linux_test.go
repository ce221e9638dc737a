package incidents

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"syscall"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

// nginxSite is a server of nginx that answers well until the file of its port is there, and then as fault says.
func nginxSite(port, fault string) string {
	return "server { listen " + port + " backlog=4096; location / { if (-f DIR/flag/nginx" + port +
		") { rewrite ^ /fault last; } return 200 ok; } location = /fault { internal; " + fault + " } }\n"
}

const nginxHead = "daemon off; pid DIR/PID.pid; user root; worker_processes 1; error_log stderr crit;\n" +
	"events { worker_connections 1024; }\n" +
	"http { access_log off; client_body_temp_path DIR/ngx-a; proxy_temp_path DIR/ngx-b; fastcgi_temp_path DIR/ngx-c; " +
	"uwsgi_temp_path DIR/ngx-d; scgi_temp_path DIR/ngx-e; server_tokens off;\n" +
	"limit_req_zone $server_port zone=z:1m rate=1r/m; limit_conn_zone $server_port zone=all:1m;\n"

func startNginx(s *site) {
	s.write("flag/none", "")
	s.write("slow.html", string(make([]byte, 60000)))
	s.write("cert.pem", certificatePEM())
	s.write("key.pem", labKey())
	s.selfSigned()
	config := nginxHead
	for port, fault := range nginxFaults {
		config += nginxSite(port, fault)
	}
	tlsHead := " ssl; ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem; "
	config += "server { listen 8101" + tlsHead + "return 200 ok; }\n" +
		"server { listen 8102 ssl; ssl_certificate DIR/self.pem; ssl_certificate_key DIR/self.key; return 200 ok; }\n" +
		"server { listen 8103" + tlsHead + "ssl_protocols TLSv1.3; return 200 ok; }\n" +
		"server { listen 8104" + tlsHead + "ssl_verify_client on; ssl_client_certificate DIR/cert.pem; return 200 ok; }\n" +
		"server { listen 8105 ssl; ssl_reject_handshake on; }\n" +
		"server { listen 8106 ssl http2; ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem; " +
		"location / { if (-f DIR/flag/nginx8106) { return 444; } return 200 ok; } }\n" +
		"server { listen 8113 ssl http2; ssl_certificate DIR/cert.pem; ssl_certificate_key DIR/key.pem; " +
		"location / { proxy_pass http://127.0.0.1:8902; } }\n" +
		"server { listen 8107; keepalive_timeout 1s; return 200 ok; }\n" +
		"server { listen 8108; keepalive_timeout 1s 1s; return 200 ok; }\n" +
		"server { listen 8109; return 200 ok; }\n" +
		"server { listen 8110" + tlsHead + "return 200 ok; }\n" +
		"server { listen 8444" + tlsHead + "return 200 ok; }\n" +
		"server { listen 8111; return 200 ok; }\n" +
		"server { listen 8112; limit_conn all 1; proxy_read_timeout 1h; location / { " +
		"proxy_pass http://127.0.0.1:8901; } }\n"
	s.start(netlab.S, "nginx", "-c", s.write("nginx.conf", config+"}\n"), "-e", "stderr")
	for own, backlog := range map[string]string{"8201": "512", "8202": "512", "8203": "512", "8204": "1"} {
		s.startOwnNginx(own, backlog)
	}
	s.await("8001", "8101", "8201", "8202", "8203", "8204")
	s.owned("8204").signal(syscall.SIGSTOP)
	s.fill("8204")
	s.hold("8112")
}

// startOwnNginx starts an nginx that an incident has for itself.
func (s *site) startOwnNginx(port, backlog string) {
	config := nginxHead + "server { listen " + port + " backlog=" + backlog + "; location / { return 200 ok; } }\n}\n"
	config = strings.ReplaceAll(config, "PID", "own"+port)
	config = strings.ReplaceAll(config, "DIR/ngx", "DIR/own"+port)
	s.own(port, s.start(netlab.S, "nginx", "-c", s.write("nginx"+port+".conf", config), "-e", "stderr"))
}

// nginxFaults are what nginx does at a port, once the port's file is there.
var nginxFaults = map[string]string{
	"8001": "return 444;",
	"8002": "return 503 'Down for maintenance';",
	"8003": "proxy_pass http://127.0.0.1:9;",
	"8004": "proxy_pass http://127.0.0.1:8901; proxy_read_timeout 300ms;",
	"8005": "deny all;",
	"8006": "root DIR/nothing-there;",
	"8007": "limit_req zone=z; limit_req_status 429; try_files /x =429;",
	"8008": "limit_req zone=z; try_files /x =404;",
	"8009": "return 500;",
	"8010": "limit_rate 20000; limit_rate_after 1; root DIR; try_files /slow.html =404;",
	"8011": "limit_rate 120000; root DIR; try_files /slow.html =404;",
	"8012": "proxy_pass http://127.0.0.1:8902;",
	"8013": "return 401;",
	"8014": "return 503;",
	"8015": "return 301 http://$http_host$request_uri;",
	"8016": "return 400;",
}

func ofNginx() []incident {
	at := func(port string) string { return "http://ADDRESS:" + port + "/" }
	secure := func(port string) string { return "https://ADDRESS:" + port + "/" }
	flagged := func(port, name, labels, party, right string) incident {
		return incident{name: "nginx: " + name, needs: "nginx", url: at(port), labels: labels, party: party, right: right,
			happen: raise("nginx" + port)}
	}
	slow := flagged("8010", "limit_rate: the body is slower than the timeout",
		"transfer http.response.timed_out - self", "server|us", "timeout_too_short")
	slow.often = 10
	return []incident{
		slow,
		flagged("8001", "return 444 closes without an answer", "processing tcp.closed - peer", "server", "server_aborts"),
		flagged("8002", "503, a maintenance page", "validate http.error - -", "server", "maintenance"),
		flagged("8003", "502, the upstream refuses", "validate http.error - -", "server", "upstream_failed"),
		flagged("8004", "504, the upstream hangs", "validate http.error - -", "server", "upstream_failed"),
		flagged("8005", "403, deny all", "validate http.error - -", "server", "request_rejected"),
		flagged("8006", "404, the files are gone", "validate http.error - -", "server", "request_rejected|server_error"),
		flagged("8009", "500", "validate http.error - -", "server", "server_error"),
		flagged("8011", "healthy: a body that takes half of the timeout", "", "", ""),
		flagged("8012", "the upstream ends in the middle of the body", "transfer tcp.closed - peer", "server",
			"server_aborts|upstream_failed|server_error"),
		flagged("8013", "401", "validate http.error - -", "server|us", "request_rejected"),
		flagged("8014", "503", "validate http.error - -", "server", "server_error|server_overloaded|upstream_failed"),
		flagged("8016", "400", "validate http.error - -", "us", "request_rejected"),
		{name: "nginx: HTTPS, healthy", needs: "nginx", url: secure("8101")},
		{name: "nginx: plain HTTP to the TLS port", needs: "nginx", url: at("8110"), labels: "validate http.error - -",
			was: "8109", party: "us|server", right: "request_rejected|tls_mismatch"},
		{name: "nginx: an untrusted certificate", needs: "nginx", url: secure("8102"), was: "8101",
			labels: "tls tls.cert.authority_invalid - self", party: "server", right: "certificate"},
		{name: "nginx: TLS 1.3 only, the module at most 1.2", needs: "nginx", url: secure("8103"), module: "tls12", was: "8101",
			labels: "tls tls.version_or_cipher_mismatch - peer", party: "us", right: "tls_mismatch"},
		{name: "nginx: a client certificate is required", needs: "nginx", url: secure("8104"), was: "8101",
			labels: "validate http.error - -", party: "us|server", right: "request_rejected|tls_mismatch"},
		{name: "nginx: ssl_reject_handshake", needs: "nginx", url: secure("8105"), was: "8101",
			labels: "tls tls.unrecognized_name - peer", party: "us|server", right: "tls_mismatch"},
		{name: "nginx: HTTP/2, return 444", needs: "nginx", url: secure("8106"), happen: raise("nginx8106"),
			labels: "processing tcp.closed - peer|processing h2.goaway - peer|processing h2.stream_reset - peer",
			party:  "server", right: "server_aborts"},
		{name: "nginx: HTTP/2, the upstream ends in the middle of the body", needs: "nginx", url: secure("8113"),
			was: "8101", labels: "transfer h2.stream_reset - peer", party: "server", right: "server_aborts|upstream_failed"},
		{name: "nginx: killed", needs: "nginx", url: at("8201"), labels: "connect tcp.refused ECONNREFUSED peer",
			party: "server", right: "server_restarted|not_listening", happen: func(s *site) { s.owned("8201").kill() }},
		{name: "nginx: stopped by SIGSTOP", needs: "nginx", url: at("8202"),
			labels: "processing http.response.timed_out - self|connect tcp.timed_out - self", party: "server",
			right:  "server_unresponsive|accept_queue_full",
			happen: func(s *site) { s.owned("8202").signal(syscall.SIGSTOP) }},
		{name: "nginx: stopped by SIGSTOP, its backlog of 1 is full", needs: "nginx", url: at("8204"), was: "8109",
			labels: queueFull, party: "server", right: "accept_queue_full|server_unresponsive"},
		{name: "nginx: limit_conn is reached: 503", needs: "nginx", url: at("8112"), was: "8109",
			labels: "validate http.error - -", party: "server",
			right: "server_error|connection_limit|server_overloaded"},
		{name: "nginx: healthy, reloaded by SIGHUP", needs: "nginx", url: at("8203"),
			happen: func(s *site) { s.master("8203", syscall.SIGHUP) }},
		{name: "nginx: HTTPS to the plain port", needs: "nginx", url: secure("8111"), labels: "tls tls.not_tls - peer",
			was: "8101", party: "us|server", right: "tls_mismatch"},
	}
}

// selfSigned writes a certificate that nobody trusts.
func (s *site) selfSigned() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"lab.test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		s.Fatal(err)
	}
	s.write("self.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write("self.key", keyText(key))
}

func certificatePEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: faultlab.ServerCertificate().Certificate[0]}))
}

// labKey is the key of the lab's certificate in PEM.
func labKey() string { return keyText(faultlab.ServerCertificate().PrivateKey) }

// keyText is a private key in PEM.
func keyText(key crypto.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // only keys of a kind that it knows
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

package incidents

import (
	"slices"
	"strings"
)

// moduleKeys are the modules of the incidents, the keys under http.
var moduleKeys = map[string][]string{
	"m":           {},
	"posts":       {"method: POST", "body: '{\"a\": 1}'"},
	"odd":         {"headers: {X-Odd: 'yes'}"},
	"long":        {"headers: {X-Long: '" + strings.Repeat("x", 9000) + "'}"},
	"idle":        {"keepalive: {idle: [3s]}"},
	"idle10":      {"keepalive: {idle: [3s]}", "headers: {Connection: keep-alive}"},
	"tls12":       {},
	"named":       {},
	"proxied":     {"proxy_url: http://ADDRESS:8701"},
	"proxied2":    {"proxy_url: http://ADDRESS:8702"},
	"proxied3":    {"proxy_url: http://ADDRESS:8703"},
	"proxied4":    {"proxy_url: http://ADDRESS:8704"},
	"tinyproxied": {"proxy_url: http://ADDRESS:8711"},
	"resolver":    {"resolver: {servers: ['ADDRESS:5301']}"},
	"resolver2":   {"resolver: {servers: ['ADDRESS:5302']}"},
	"resolver4":   {"resolver: {servers: ['ADDRESS:5304']}"},
	"resolver5":   {"resolver: {servers: ['ADDRESS:5305']}"},
	"resolver6":   {"resolver: {servers: ['ADDRESS:5306']}"},
	"http11":      {"enable_http2: false"},
}

// moduleTLS is a key of their tls_config, where that is not the server's name.
var moduleTLS = map[string]string{
	"tls12": "max_version: TLS12\n        server_name: lab.test",
	"named": "server_name: other.example\n        insecure_skip_verify: true",
}

// servers are all servers, in the order in which they start.
var servers = []server{
	{"tomcat10", catalina, startTomcat},
	{"nginx", "nginx", startNginx},
	{"haproxy", "haproxy", startHAProxy},
	{"apache2", "apache2", startApache},
	{"nodejs", "node", startNode},
	{"gunicorn", "gunicorn", startGunicorn},
	{"squid", "squid", startSquid},
	{"tinyproxy", "tinyproxy", startTinyproxy},
	{"varnish", "varnishd", startVarnish},
	{"stunnel4", "stunnel4", startStunnel},
	{"unbound", "unbound", startUnbound},
}

// tried are the incidents that are seen with experiments too: failures that end at once, each of another kind; and
// whether any are made. A POST is not repeated.
var tried = map[string]bool{
	"nginx: return 444 closes without an answer": true, "nginx: HTTP/2, return 444": true,
	"nginx: an untrusted certificate": true, "nginx: TLS 1.3 only, the module at most 1.2": true,
	"nginx: 403, deny all": true, "nginx: 502, the upstream refuses": true, "nginx: killed": true,
	"nginx: HTTPS to the plain port": true, "haproxy: http-request reject": true, "nodejs: resetAndDestroy()": true,
	"nodejs: 500 to POST, 200 to GET": false, "nodejs: requests with a certain header are reset": true,
	"nodejs: crashes at a request": true, "tomcat10: an exception: 500": true, "stunnel4: the upstream closes": true,
	"nginx: its container is removed, the host refuses": true, "nginx: its container is removed, the host rejects": true,
}

// incidents are all incidents.
func incidents() []incident {
	all := slices.Concat(ofNginx(), ofHAProxy(), ofApache(), ofNode(), ofGunicorn(), ofSquid(), ofTinyproxy(), ofVarnish(),
		ofStunnel(), ofUnbound(), ofTomcat(), ofIdle(), ofNAT())
	for n := range all {
		_, all[n].experiments = tried[all[n].name]
	}
	return all
}

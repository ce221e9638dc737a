package incidents

import (
	"slices"
	"strings"
)

// moduleKeys are the modules of the incidents, the keys under http.
var moduleKeys = map[string][]string{
	"m":         {},
	"posts":     {"method: POST", "body: '{\"a\": 1}'"},
	"odd":       {"headers: {X-Odd: 'yes'}"},
	"long":      {"headers: {X-Long: '" + strings.Repeat("x", 9000) + "'}"},
	"idle":      {"keepalive: {idle: [3s]}"},
	"idle10":    {"keepalive: {idle: [3s]}", "headers: {Connection: keep-alive}"},
	"tls12":     {},
	"named":     {},
	"proxied":   {"proxy_url: http://ADDRESS:8701"},
	"proxied2":  {"proxy_url: http://ADDRESS:8702"},
	"proxied3":  {"proxy_url: http://ADDRESS:8703"},
	"proxied4":  {"proxy_url: http://ADDRESS:8704"},
	"resolver":  {"resolver: {servers: ['ADDRESS:5301']}"},
	"resolver2": {"resolver: {servers: ['ADDRESS:5302']}"},
	"resolver4": {"resolver: {servers: ['ADDRESS:5304']}"},
	"resolver5": {"resolver: {servers: ['ADDRESS:5305']}"},
	"resolver6": {"resolver: {servers: ['ADDRESS:5306']}"},
	"http11":    {"enable_http2: false"},
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
	{"varnish", "varnishd", startVarnish},
	{"stunnel4", "stunnel4", startStunnel},
	{"unbound", "unbound", startUnbound},
}

// incidents are all incidents.
func incidents() []incident {
	return slices.Concat(ofNginx(), ofHAProxy(), ofApache(), ofNode(), ofGunicorn(), ofSquid(), ofVarnish(),
		ofStunnel(), ofUnbound(), ofTomcat(), ofIdle())
}

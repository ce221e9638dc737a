package incidents

import (
	"maps"
	"slices"
	"syscall"

	"errno_exporter/internal/faultlab/netlab"
)

// apacheFaults are what Apache does at a port, once the port's file is there.
var apacheFaults = map[string]string{
	"8401": "RewriteRule ^ - [R=503,L]",
	"8402": "RewriteRule ^ http://127.0.0.1:9/ [P,L]",
	"8403": "RewriteRule ^ http://127.0.0.1:8901/ [P,L]",
	"8404": "RewriteRule ^ - [F,L]",
	"8405": "RewriteRule ^ - [R=500,L]",
	"8406": "RewriteRule ^ - [G,L]",
	"8407": "RewriteRule ^ http://127.0.0.1:8903/ [P,L]",
}

const apacheHead = "ServerRoot /etc/apache2\nServerName lab.test\nPidFile DIR/NAME.pid\nErrorLog DIR/NAME.log\n" +
	"DefaultRuntimeDir DIR\nUser nobody\nGroup nogroup\nDocumentRoot DIR/www\nTimeout 1\n" +
	"Mutex pthread\nStartServers 2\nThreadsPerChild 25\n"

// apacheModules are loaded from where the package has them.
func apacheModules() string {
	text := ""
	for _, name := range []string{"mpm_event", "authz_core", "dir", "rewrite", "proxy", "proxy_http"} {
		text += "LoadModule " + name + "_module /usr/lib/apache2/modules/mod_" + name + ".so\n"
	}
	return text + "ProxyTimeout 1\n"
}

func startApache(s *site) {
	s.write("www/index.html", "ok")
	config := apacheModules() + apacheHead
	for _, port := range slices.Sorted(maps.Keys(apacheFaults)) {
		config += "Listen " + port + "\n<VirtualHost *:" + port + ">\nRewriteEngine on\nRewriteCond DIR/flag/apache" +
			port + " -f\n" + apacheFaults[port] + "\nProxyPassReverse / http://127.0.0.1:9/\n</VirtualHost>\n"
	}
	s.startApacheWith("shared", "8401", config)
	for _, port := range []string{"8421", "8422", "8423"} {
		s.startApacheWith("own"+port, port, apacheModules()+apacheHead+"Listen "+port+"\n")
	}
	s.startApacheWith("idle", "8424", apacheModules()+apacheHead+"Listen 8424\nKeepAliveTimeout 1\n")
}

// startApacheWith starts an Apache by a configuration.
func (s *site) startApacheWith(name, port, config string) {
	file := s.writeNamed("apache-"+name, config)
	s.own(port, s.start(netlab.S, "apache2", "-DFOREGROUND", "-f", file))
	s.await(port)
}

func ofApache() []incident {
	status := "validate http.error - -"
	flagged := func(port, name, labels, right string) incident {
		return incident{name: "apache2: " + name, needs: "apache2", url: "http://ADDRESS:" + port + "/", labels: labels,
			party: "server", right: right, happen: raise("apache" + port)}
	}
	return []incident{
		flagged("8401", "503", status, "server_error|server_overloaded"),
		flagged("8402", "503, the upstream refuses", status, "upstream_failed|server_error"),
		flagged("8404", "403", status, "request_rejected"),
		flagged("8405", "500", status, "server_error"),
		flagged("8406", "410", status, "request_rejected"),
		flagged("8407", "502, the upstream closes", status, "upstream_failed"),
		{name: "apache2: stopped by SIGSTOP", needs: "apache2", url: "http://ADDRESS:8421/", party: "server",
			labels: "processing http.response.timed_out - self", right: "server_unresponsive",
			happen: func(s *site) { s.owned("8421").signal(syscall.SIGSTOP) }},
		{name: "apache2: killed", needs: "apache2", url: "http://ADDRESS:8422/", party: "server",
			labels: "connect tcp.refused ECONNREFUSED peer", right: "server_restarted|not_listening",
			happen: func(s *site) { s.owned("8422").kill() }},
		{name: "apache2: healthy, reloaded gracefully", needs: "apache2", url: "http://ADDRESS:8423/",
			happen: func(s *site) { s.master("8423", syscall.SIGUSR1) }},
	}
}

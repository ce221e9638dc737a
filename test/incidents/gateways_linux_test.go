package incidents

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"errno_exporter/internal/faultlab/netlab"
)

// startSquid starts squid. At some ports it denies /denied, and CONNECT to port 8444.
func startSquid(s *site) {
	rules := "acl strict localport 8703 8704\nacl denied urlpath_regex ^/denied\nacl bad port 8444\n" +
		"http_access deny strict denied\nhttp_access deny strict CONNECT bad\nhttp_access allow all\ncache deny all\naccess_log none\ncache_log DIR/NAME.log\n" +
		"pid_filename none\nmax_filedescriptors 1024\nconnect_timeout 1 second\nworkers 1\n" +
		"server_persistent_connections off\npinger_enable off\nnetdb_filename none\nshutdown_lifetime 0 seconds\ndns_nameservers 127.0.0.1\n"
	for port, more := range map[string]string{"8701": "http_port 8703\nhttp_port 8704\n", "8702": ""} {
		// Its shared memory has the service's name, and is left when squid is killed.
		service := fmt.Sprintf("incidents%dx%s", os.Getpid(), port)
		s.Cleanup(func() {
			left, _ := filepath.Glob("/dev/shm/" + service + "-*") // the pattern is well-formed
			for _, file := range left {
				_ = os.Remove(file)
			}
		})
		s.own(port, s.start(netlab.S, "squid", "-N", "-n", service, "-f",
			s.writeNamed("squid"+port, "http_port "+port+"\n"+more+rules)))
		s.await(port)
	}
}

func ofSquid() []incident {
	through := func(name, url, labels, party, right string) incident {
		return incident{name: "squid: " + name, needs: "squid", url: url, module: "proxied", labels: labels, party: party,
			right: right}
	}
	with := func(module, was string, i incident) incident {
		i.module, i.was = module, was
		return i
	}
	gone := through("killed", "http://ADDRESS:8203/", "proxy tcp.refused ECONNREFUSED peer",
		"proxy", "proxy_down")
	gone.module, gone.happen = "proxied2", func(s *site) { s.owned("8702").kill() }
	return []incident{
		through("healthy, a target through it", "http://ADDRESS:8203/", "", "", ""),
		with("proxied3", "8701", through("an ACL denies", "http://ADDRESS:8109/denied", "validate http.error - -", "proxy",
			"proxy_policy")),
		with("proxied", "8109", through("the target refuses", "http://ADDRESS:8991/", "validate http.error - -", "server",
			"upstream_failed")),
		with("proxied4", "8701", through("CONNECT is denied", "https://ADDRESS:8444/", "proxy proxy.denied - peer", "proxy",
			"proxy_policy")),
		with("proxied", "8101", through("CONNECT, the target refuses", "https://ADDRESS:8992/", "proxy proxy.failed - peer",
			"server", "upstream_failed")),
		gone,
	}
}

// varnishBackends are the backends of varnish's ports.
var varnishBackends = map[string]string{"8801": "127.0.0.1:9", "8802": "127.0.0.1:8901", "8803": "127.0.0.1:8203"}

// startVarnish starts varnish with a backend that refuses, and one with a backend that hangs.
func startVarnish(s *site) {
	for port, backend := range varnishBackends {
		s.start(netlab.S, "varnishd", "-F", "-j", "none", "-a", ":"+port, "-b", backend, "-n", s.path("varnish"+port),
			"-p", "first_byte_timeout=0.3", "-p", "thread_pools=1", "-p", "thread_pool_min=10", "-s", "malloc,1m",
			"-l", "4m")
		s.await(port)
	}
	for port, rule := range map[string]string{"8804": `synth(503, "Overloaded")`, "8805": "fail"} {
		s.start(netlab.S, "varnishd", "-F", "-j", "none", "-a", ":"+port, "-n", s.path("varnish"+port), "-f",
			s.write(port+".vcl", "vcl 4.1;\nbackend none none;\nsub vcl_recv { return ("+rule+"); }\n"),
			"-p", "thread_pools=1", "-p", "thread_pool_min=10", "-s", "malloc,1m", "-l", "4m")
		s.await(port)
	}
}

func ofVarnish() []incident {
	at := func(port, name, labels, party, right string) incident {
		i := incident{name: "varnish: " + name, needs: "varnish", url: "http://ADDRESS:" + port + "/", labels: labels,
			party: party, right: right}
		if labels != "" {
			i.was = "8803"
		}
		return i
	}
	later := "validate http.rate_limited - -|validate http.error - -"
	return []incident{
		at("8801", "the backend refuses", later, "server", "upstream_failed"),
		at("8802", "the backend hangs", later, "server", "upstream_failed"),
		at("8803", "healthy", "", "", ""),
		at("8804", "synth(503)", later, "server", "server_error|server_overloaded"),
		at("8805", "VCL fails", later, "server", "server_error"),
	}
}

// startStunnel starts TLS in front of an upstream that refuses, one that closes and one that is well.
func startStunnel(s *site) {
	config := "foreground = yes\ndebug = 3\npid =\ncert = DIR/both.pem\n"
	s.write("both.pem", certificatePEM()+labKey())
	for port, upstream := range map[string]string{"8951": "9", "8952": "8903", "8953": "8203"} {
		config += "[p" + port + "]\naccept = " + port + "\nconnect = 127.0.0.1:" + upstream + "\n"
	}
	s.start(netlab.S, "stunnel4", s.write("stunnel.conf", config))
	s.await("8951", "8952", "8953")
}

func ofStunnel() []incident {
	ends := "processing tcp.closed - peer|processing tcp.reset ECONNRESET peer|request tcp.reset ECONNRESET peer|" +
		"request tcp.reset EPIPE peer|request tcp.closed EPIPE peer|request tcp.closed - peer|" +
		"tls tcp.closed - peer|tls tcp.reset ECONNRESET peer"
	at := func(port, name, labels, party, right string, often int) incident {
		i := incident{name: "stunnel4: " + name, needs: "stunnel4", url: "https://ADDRESS:" + port + "/", labels: labels,
			party: party, right: right, often: often}
		if labels != "" {
			i.was = "8953"
		}
		return i
	}
	return []incident{
		at("8951", "the upstream refuses", ends, "server", "server_aborts|upstream_failed", 10),
		at("8952", "the upstream closes", ends, "server", "server_aborts", 10),
		at("8953", "healthy", "", "", "", 0),
	}
}

const unboundConfig = `server:
  INTERFACES
  port: NAME
  do-daemonize: no
  chroot: ""
  username: ""
  access-control: 0.0.0.0/0 allow
  use-syslog: no
  module-config: "iterator"
  do-ip6: no
  local-zone: lab.test. static
  local-data: "api.lab.test. A 10.9.3.2"
  ZONES
forward-zone:
  name: broken.example.
  forward-addr: 127.0.0.1@9
`

// startUnbound starts a resolver that knows lab.test, another one for killing, and one that knows all names.
func startUnbound(s *site) {
	const refuses = "local-zone: denied.test. refuse"
	everything := ""
	for _, name := range []string{"none.lab.test.", "api.denied.test.", "api.broken.example."} {
		everything += "local-data: \"" + name + " A 10.9.3.2\"\n  "
	}
	for port, zones := range map[string]string{"5301": refuses, "5302": refuses, "5303": everything} {
		interfaces := ""
		for _, address := range []string{"127.0.0.1", quietAddress, noisyAddress} {
			interfaces += "interface: " + address + "\n  "
			if port == "5301" {
				for _, more := range []string{"5304", "5305", "5306"} {
					interfaces += "interface: " + address + "@" + more + "\n  "
				}
			}
		}
		config := strings.NewReplacer("INTERFACES", interfaces, "ZONES", zones).Replace(unboundConfig)
		s.own(port, s.start(netlab.S, "unbound", "-d", "-p", "-c", s.writeNamed(port, config)))
		s.await(port)
	}
}

func ofUnbound() []incident {
	at := func(module, name, url, labels string) incident {
		return incident{name: "unbound: " + name, needs: "unbound", url: url, module: module, labels: labels, party: "dns",
			right: "dns_broken", was: "5303"}
	}
	killed := at("resolver2", "killed", "http://api.lab.test:8203/", "resolve dns.unreachable ECONNREFUSED path")
	killed.was, killed.happen = "", func(s *site) { s.owned("5302").kill() }
	return []incident{
		{name: "unbound: healthy", needs: "unbound", url: "http://api.lab.test:8203/", module: "resolver"},
		at("resolver4", "NXDOMAIN", "http://none.lab.test:8203/", "resolve dns.name_not_resolved - peer"),
		at("resolver5", "REFUSED", "http://api.denied.test:8203/", "resolve dns.refused - peer"),
		at("resolver6", "SERVFAIL, no server of the zone may be asked", "http://api.broken.example:8203/",
			"resolve dns.servfail - peer"),
		killed,
	}
}

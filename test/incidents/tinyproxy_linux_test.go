package incidents

import "errno_exporter/internal/faultlab/netlab"

// startTinyproxy starts a proxy that answers 500 to whatever it does not reach.
func startTinyproxy(s *site) {
	s.start(netlab.S, "tinyproxy", "-d", "-c", s.write("tinyproxy.conf", "Port 8711\nMaxClients 200\n"))
	s.await("8711")
}

func ofTinyproxy() []incident {
	at := func(name, url, was, labels string) incident {
		return incident{name: "tinyproxy: " + name, needs: "tinyproxy", url: url, module: "tinyproxied", was: was,
			labels: labels, party: "server", right: "upstream_failed"}
	}
	return []incident{
		at("the target refuses", "http://ADDRESS:8993/", "8109", "validate http.error - -"),
		at("CONNECT, the target refuses", "https://ADDRESS:8994/", "8101", "proxy proxy.failed - peer"),
	}
}

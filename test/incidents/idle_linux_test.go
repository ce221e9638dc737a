package incidents

import "time"

// ofIdle are servers that end idle connections after a second, while fresh ones work. The targets' connections would be
// used again after three seconds, and every probe before reports the end of one and makes the next.
func ofIdle() []incident {
	at := func(needs, port, name, right string) incident {
		party := ""
		if right != "" {
			party = "server"
		}
		return incident{name: needs + ": " + name, needs: needs, url: "http://ADDRESS:" + port + "/", module: "idle",
			party: party, right: right, probes: 5, idle: 2500 * time.Millisecond}
	}
	ends, announces := "idle connections end after 1 s", "healthy, announces that idle connections end after 1 s"
	// Apache announces only to those who ask as clients of HTTP/1.0 do.
	apache := at("apache2", "8424", announces, "")
	apache.module = "idle10"
	return []incident{
		at("nginx", "8107", ends, "server_idle_timeout"),
		at("haproxy", "8325", ends, "server_idle_timeout"),
		at("gunicorn", "8606", ends, "server_idle_timeout"),
		at("tomcat10", "8758", ends, "server_idle_timeout"),
		at("nginx", "8108", announces, ""),
		at("apache2", "8424", ends, "server_idle_timeout"),
		apache,
		at("nodejs", "8523", announces, ""),
		at("nginx", "8109", "healthy, keeps idle connections", ""),
	}
}

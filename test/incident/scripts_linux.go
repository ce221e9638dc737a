package incident

import (
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/faultlab/netlab"
)

const diagnosed = "diagnose: {on_failure: true, max_per_hour: 60}"

// then is steps that begin with five healthy scrapes, and go on with n after a change.
func then(n int, change func(*Stage)) func(*Stage) {
	return func(s *Stage) {
		s.Scrape(5)
		change(s)
		s.Scrape(n)
	}
}

func becomes(h http.Handler) func(*Stage) { return func(s *Stage) { s.Become(h) } }

// impatient reads requests for 800 ms, in which TCP sends what is lost again twice (after 200 and 600 ms), and then
// answers 408: before a probe of one second ends.
var impatient http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(800 * time.Millisecond)); err != nil {
		panic(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusRequestTimeout)
	}
})

// at is a setup by a constructor of faultlab.
func at(serve func(faultlab.Host) string) func(*Stage) string {
	return func(s *Stage) string { return serve(s) }
}

// through is a setup by a fault of netlab.
func through(fault netlab.Fault) func(*Stage) string {
	return func(s *Stage) string { return fault(s.Net) }
}

func serve(s *Stage) string { return s.Serve() }

func just(n int) func(*Stage) { return func(s *Stage) { s.Scrape(n) } }

func filter(at netlab.Node, hook, rule string) func(*Stage) {
	return func(s *Stage) { s.Net.Filter(at, hook, rule) }
}

// references are reference targets of which the second is beyond both routers.
const references = "control_targets: [{name: gateway, address: '10.9.1.1:9', kind: gateway}, {name: far, address: " +
	"'10.9.2.2:9'}]\n"

// forgets makes r1 forget connections that idle for a second, as a NAT does, and treat what comes then by a verdict.
func forgets(verdict string) func(*Stage) string {
	return func(s *Stage) string {
		url := s.Serve()
		s.Net.Filter(netlab.R1, "forward", "ct state invalid "+verdict,
			"ct state new tcp flags & (syn | ack) != syn "+verdict)
		s.Net.Sysctl(netlab.R1, "net.netfilter.nf_conntrack_tcp_loose", "0")
		s.Net.Sysctl(netlab.R1, "net.netfilter.nf_conntrack_tcp_timeout_established", "1")
		return url
	}
}

// idleFor scrapes so that a connection is opened, idles, and is used again.
func idleFor(d time.Duration) func(*Stage) {
	return func(s *Stage) {
		s.Scrape(1)
		<-time.After(d) // the idle age itself
		s.Scrape(1)
	}
}

// idleTwice is idleFor twice: one end at some age may be a reload.
func idleTwice(d time.Duration) func(*Stage) {
	return func(s *Stage) {
		idleFor(d)(s)
		idleFor(d)(s)
	}
}

// onSecond serves the first request of a connection and does something else for the second.
func onSecond(second http.Handler) http.Handler {
	seen := map[string]bool{} // one connection at a time is enough here
	var gate = make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate <- struct{}{}
		again := seen[r.RemoteAddr]
		seen[r.RemoteAddr] = true
		<-gate
		if again {
			second.ServeHTTP(w, r)
			return
		}
		faultlab.Healthy.ServeHTTP(w, r)
	})
}

// oneFree is the limit at which the exporter has one descriptor left when nobody scrapes: a limit is on their numbers,
// the lowest free one is taken first.
func oneFree(s *Stage) int {
	least := 1 << 20
	for range 20 {
		open, err := os.ReadDir("/proc/" + strconv.Itoa(s.PID()) + "/fd")
		if err != nil {
			s.Fatalf("%v", err)
		}
		taken := map[string]bool{}
		for _, file := range open {
			taken[file.Name()] = true
		}
		limit := 0
		for free := 0; free < 2; limit++ {
			if !taken[strconv.Itoa(limit)] {
				free++
			}
		}
		least = min(least, limit-1)
		<-time.After(10 * time.Millisecond) // connections of the last scrape may still be closing
	}
	return least
}

// ifHeader does something with requests that have a header of the module's, and is healthy for others.
func ifHeader(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Odd") != "" {
			h.ServeHTTP(w, r)
			return
		}
		faultlab.Healthy.ServeHTTP(w, r)
	})
}

// All are the incidents.
func All() []Incident {
	return slices.Concat(servers(), paths(), idle(), ours(), names())
}

// servers are incidents of the API itself.
func servers() []Incident {
	const overloaded = "server_overloaded"
	return []Incident{
		// 503 may as well be maintenance, or a balancer without a backend: it is the server's error until there is a
		// sign of load.
		{Name: "a load balancer answers 503", Cause: "server_error", Setup: serve,
			Steps: then(3, becomes(Answers(503)))},
		{Name: "a gateway's backend does not answer it: 504", Cause: "upstream_failed", Setup: serve,
			Steps: then(2, becomes(Answers(504)))},
		{Name: "the application hangs", Cause: "server_unresponsive", // which is no sign of load
			Setup: serve, Steps: then(2, becomes(Silent))},
		{Name: "answers take longer and longer, then connections are reset", Cause: overloaded, Setup: serve,
			Steps: func(s *Stage) {
				for _, ms := range []time.Duration{1, 2, 400, 500} {
					s.Become(Delayed(ms * time.Millisecond))
					s.Scrape(1)
				}
				s.Become(faultlab.Resetting)
				s.Scrape(2)
			}},
		{Name: "429 with Retry-After", Cause: "rate_limited",
			Setup: at(func(h faultlab.Host) string { return faultlab.Status(h, 429, "Retry-After", "30") }),
			Steps: just(2)},
		{Name: "HTTP/2 asks to slow down", Cause: "rate_limited", Setup: at(faultlab.H2EnhanceYourCalm),
			Steps: just(2)},
		{Name: "a restart: connections are reset, then refused", Cause: "server_restarted", Setup: serve,
			Steps: then(1, func(s *Stage) {
				s.Become(faultlab.Resetting)
				s.Scrape(1)
				s.Stop()
			})},
		{Name: "the server is down: refused", Cause: "server_restarted", Setup: serve, Steps: then(2, (*Stage).Stop)},
		// A restart ends: who goes away on every new connection refuses to serve.
		{Name: "HTTP/2 goes away", Cause: "server_aborts", Setup: at(faultlab.H2GoAwayNoError), Steps: just(2)},
		{Name: "the server fails: 500", Cause: "server_error", Setup: serve, Steps: then(2, becomes(Answers(500)))},
		{Name: "an expired certificate", Cause: "certificate", Setup: at(faultlab.ExpiredCertificate), Steps: just(2)},
		{Name: "one of three backends resets", Cause: "one_bad_address", Module: []string{"addresses: all"},
			Setup: func(s *Stage) string {
				return "http://api.lab.test:" + faultlab.OneBadAddress(s) + "/"
			}, Extra: "127.0.0.1 127.0.0.2 127.0.0.3", Steps: just(2)},
		{Name: "the first of two addresses resets", Cause: "one_bad_address", Module: []string{diagnosed},
			Setup: func(s *Stage) string {
				return "http://api.lab.test:" + faultlab.OneBadAddress(s) + "/"
			}, Extra: "127.0.0.2 127.0.0.1", Steps: just(2)},
		{Name: "HTTP/2 is broken, HTTP/1.1 works", Cause: "h2_only", Module: []string{diagnosed},
			Setup: func(s *Stage) string { return s.ServeTLS("h2", "http/1.1") },
			Steps: then(2, becomes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor == 2 {
					panic(http.ErrAbortHandler) // RST_STREAM
				}
				faultlab.Healthy.ServeHTTP(w, r)
			})))},
		{Name: "HTTP/2 streams are refused", Cause: "rate_limited",
			Setup: at(func(h faultlab.Host) string { return faultlab.H2StreamReset(h, http2.ErrCodeRefusedStream) }),
			Steps: just(2)},
	}
}

// paths are incidents between us and the API.
func paths() []Incident {
	const v4 = netlab.V4
	return []Incident{
		{Name: "a firewall resets the request", Cause: "firewall_reject", Network: true,
			Setup: through(netlab.RequestReset(v4, netlab.R1)), Steps: just(3)},
		// a closed port tells it from a NAT host
		{Name: "a firewall resets the SYN of a known server", Cause: "firewall_reject", Network: true,
			Module: []string{diagnosed},
			Setup:  serve, Steps: then(2, filter(netlab.R2, "forward", "tcp dport 80 reject with tcp reset"))},
		{Name: "a router prohibits", Cause: "firewall_reject", Network: true, Setup: serve,
			Steps: then(2, filter(netlab.R1, "forward", "tcp dport 80 reject with icmpx admin-prohibited"))},
		{Name: "our own firewall resets", Cause: "firewall_reject", Network: true, Setup: serve,
			Steps: then(2, filter(netlab.C, "output", "tcp dport 80 reject with tcp reset"))},
		// For one port alone it looks like a full queue of new connections.
		{Name: "a firewall drops", Cause: "firewall_drop", Network: true, Extra: references, Module: []string{diagnosed},
			Setup: serve, Steps: then(2, filter(netlab.R2, "forward", "ip daddr 10.9.3.2 drop"))},
		{Name: "large packets vanish", Cause: "pmtu_black_hole", Network: true,
			Module: []string{diagnosed, "method: POST", "body: " + strings.Repeat("x", 4000),
				"retry_non_idempotent: true"},
			Setup: through(netlab.BlackHoleForLarge(v4)), Steps: just(1)},
		{Name: "large packets of the request vanish, and the server answers 408", Cause: "pmtu_black_hole", Network: true,
			Module: []string{"method: POST", "body: " + strings.Repeat("x", 4000)},
			Setup:  serve, Steps: then(3, func(s *Stage) {
				s.Become(impatient)
				s.Net.Filter(netlab.R1, "forward", "meta length > 1300 drop")
			})},
		{Name: "large packets vanish, over TLS", Cause: "pmtu_black_hole", Network: true,
			Module: []string{diagnosed, "headers: {Host: api.lab.test}"}, // which the certificate is for
			Setup:  func(s *Stage) string { return s.ServeTLS("http/1.1") }, Steps: then(2, func(s *Stage) {
				s.Net.Filter(netlab.R1, "forward", "meta length > 1300 drop")
			})},
		{Name: "the path goes dead under established connections", Cause: "path_outage", Network: true, Extra: references,
			Setup: through(netlab.BlackHoleAfterHandshake(v4)), Steps: just(2)},
		{Name: "a router has no route", Cause: "path_outage", Network: true, Extra: references, Setup: serve,
			Steps: then(2, func(s *Stage) {
				s.Net.IP(netlab.R1, "route", "replace", "unreachable", "10.9.3.2/32")
			})},
		{Name: "one reset among many successes", Cause: "transient", Setup: serve, Steps: func(s *Stage) {
			s.Scrape(6)
			s.Become(faultlab.Resetting)
			s.Scrape(1)
			s.Become(faultlab.Healthy)
			s.Scrape(2)
		}},
		{Name: "a proxy forbids", Cause: "proxy_policy", Module: []string{"proxy_url: PROXY"},
			Setup: func(*Stage) string { return "https://api.lab.test/" }, Extra: "proxy", Steps: just(2)},
		{Name: "IPv6 is broken, IPv4 works", Cause: "one_family_broken", Module: []string{"addresses: all"},
			Setup: func(s *Stage) string { return named(s.Serve()) }, Extra: "127.0.0.1 ::1", Steps: just(2)},
	}
}

// idle are incidents of connections that idle.
func idle() []Incident {
	idle := []string{"keepalive: {idle: [2s]}"}
	return []Incident{
		{Name: "the server closes idle connections", Cause: "server_idle_timeout", Module: idle,
			Setup: at(func(h faultlab.Host) string { return faultlab.ClosesIdle(h, 500*time.Millisecond) }),
			Steps: idleTwice(1500 * time.Millisecond)},
		{Name: "HTTP/2: GOAWAY while idle", Cause: "server_idle_timeout", Module: idle,
			Setup: at(func(h faultlab.Host) string { return faultlab.IdleGoAway(h, 500*time.Millisecond) }),
			Steps: idleTwice(1500 * time.Millisecond)},
		{Name: "a NAT forgets idle connections, silently", Cause: "path_idle_timeout", Network: true, Module: idle,
			Setup: forgets("drop"), Steps: func(s *Stage) {
				idleFor(3 * time.Second)(s)
				// a dead connection keeps no scrape waiting: its fate is in the next one
				<-time.After(2500 * time.Millisecond)
				s.Scrape(1)
			}},
		{Name: "a firewall forgets idle connections, and resets", Cause: "path_idle_timeout", Network: true,
			Module: idle, Setup: forgets("reject with tcp reset"), Steps: idleFor(3 * time.Second)},
		{Name: "the server closes just as the request arrives", Cause: "keepalive_race", Module: idle,
			Setup: func(s *Stage) string {
				url := s.Serve()
				s.Become(onSecond(Closing))
				return url
			}, Steps: idleFor(2500 * time.Millisecond)},
	}
}

// ours are incidents of our own.
func ours() []Incident {
	return []Incident{
		{Name: "no route", Cause: "no_egress", Network: true, Extra: references, Setup: serve,
			Steps: then(2, func(s *Stage) { s.Net.IP(netlab.C, "route", "del", "default") })},
		{Name: "the gateway drops everything", Cause: "no_egress", Network: true, Extra: references, Setup: serve,
			Steps: then(2, func(s *Stage) {
				<-time.After(5 * time.Second) // reference targets are looked at every five seconds
				s.Net.Filter(netlab.R1, "forward", "drop")
			})},
		{Name: "no file descriptor is left", Cause: "local_descriptors", Setup: serve, Steps: then(2, func(s *Stage) {
			limit := unix.Rlimit{Cur: uint64(oneFree(s)), Max: 1 << 10} // for the scrape itself
			if err := unix.Prlimit(s.PID(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
				s.Fatalf("limit descriptors: %v", err)
			}
		})},
		{Name: "no local port is left", Cause: "local_ports", Network: true,
			Setup: through(netlab.PortsExhausted(netlab.V4)), Steps: just(2)},
		{Name: "the exporter gets no CPU time", Cause: "local_starved", Setup: serve, Steps: then(1, func(s *Stage) {
			pid := s.PID()
			s.Become(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
				<-time.After(2500 * time.Millisecond) // longer than the probe's deadline
				_ = syscall.Kill(pid, syscall.SIGCONT)
				<-r.Context().Done()
			}))
		})},
		{Name: "the body is still coming at the deadline", Cause: "timeout_too_short", Setup: serve,
			Steps: then(2, becomes(Trickle))},
		{Name: "the answer takes longer than the timeout, every time", Cause: "timeout_too_short",
			Module: []string{diagnosed}, Setup: func(s *Stage) string {
				url := s.Serve()
				s.Become(Delayed(2500 * time.Millisecond)) // longer than either timeout, shorter than three times it
				return url
			}, Steps: just(1)},
		{Name: "requests with a certain header are reset", Cause: "request_rejected",
			Module: []string{diagnosed, "headers: {X-Odd: '1'}"}, Setup: serve,
			Steps: then(2, becomes(ifHeader(faultlab.Resetting)))},
		{Name: "the request is malformed: 400", Cause: "request_rejected", Setup: serve,
			Steps: then(2, becomes(Answers(400)))},
		{Name: "the request is too large: 413", Cause: "request_rejected", Setup: serve,
			Steps: then(2, becomes(Answers(413)))},
		{Name: "no common TLS version", Cause: "tls_mismatch", Setup: at(faultlab.TLSVersionTooOld), Steps: just(2)},
		{Name: "a client certificate is required", Cause: "tls_mismatch", Setup: at(faultlab.ClientCertificateRequired13),
			Steps: just(2)},
		{Name: "the response fails the module's rules", Cause: "response_rejected",
			Module: []string{"fail_if_body_not_matches_regexp: [nosuch]"}, Setup: serve, Steps: just(2)},
	}
}

// names are incidents of names.
func names() []Incident {
	return []Incident{
		{Name: "the resolver says SERVFAIL", Cause: "dns_broken",
			Setup: func(*Stage) string { return "http://api.lab.test/" }, Extra: "servfail", Steps: just(2)},
		{Name: "the name does not exist", Cause: "dns_broken",
			Setup: func(*Stage) string { return "http://nosuch.lab.test/" }, Extra: "127.0.0.1", Steps: just(2)},
		{Name: "the name is resolved to this host itself, as blocked names are", Cause: "dns_broken", Network: true,
			Module: []string{"resolver: {servers: ['10.9.2.2:53', '10.9.3.2:53']}"},
			Setup: func(s *Stage) string {
				s.Serve()
				netlab.Names(s.Net, netlab.R2, netlab.V4.Addr(netlab.S))
				netlab.Names(s.Net, netlab.S, netip.MustParseAddr("127.0.0.1"))
				return "http://" + netlab.Name + "/"
			}, Steps: then(2, filter(netlab.R2, "input", "udp dport 53 reject"))},
		{Name: "a cache returns an old address", Cause: "dns_stale", Network: true,
			Module: []string{diagnosed, "resolver: {servers: ['10.9.2.2:53'], compare_with: system}"},
			Setup: func(s *Stage) string {
				// on s, the system's: it knows where the server is
				netlab.ResolverHealthy(netlab.V4)(s.Net)
				netlab.Names(s.Net, netlab.R2, netlab.V4.Addr(netlab.S).Prev()) // the cache: nobody is there
				return "http://" + netlab.Name + "/"
			}, Before: "nameserver 10.9.3.2", Steps: just(2)},
	}
}

// Prepare makes what Extra asks for: a proxy that forbids, a resolver that fails, one that knows addresses of
// api.lab.test, or keys of the configuration. It returns the module's keys and those.
func (s *Stage) Prepare(i *Incident) (module []string, extra string) {
	module = append(module, i.Module...)
	switch {
	case i.Extra == "proxy":
		for n := range module {
			module[n] = strings.Replace(module[n], "PROXY", faultlab.ConnectStatus(s, 403), 1)
		}
		module = append(module, "skip_resolve_phase_with_proxy: true")
	case i.Extra == "servfail":
		module = append(module, "resolver: {servers: ['"+faultlab.DNSCode(s, 2)+"']}")
	case i.Extra != "" && !strings.Contains(i.Extra, "{"):
		module = append(module, "resolver: {servers: ['"+s.names(strings.Fields(i.Extra)...)+"']}")
	default:
		extra = i.Extra
	}
	return module, extra
}

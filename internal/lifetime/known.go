package lifetime

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Party is where a timeout is: in the server, or on the path.
type Party string

// The parties.
const (
	Server Party = "server" // in the server, or in what its owner runs in front of it
	Path   Party = "path"   // in a NAT, or in a load balancer that passes packets on
)

// Known is an idle timeout that a document states. Most can be configured, so that a match supports a guess and does
// not prove it.
type Known struct {
	Who      string
	Idle     time.Duration
	Ends     []End // as the document says
	Party    Party
	Document string
}

// Timeouts are the known timeouts, the shortest first. docs/errno-104.md shows them.
var Timeouts = []Known{
	{"gunicorn", 2 * time.Second, []End{FIN}, Server, "gunicorn settings, `keepalive`"},
	{"Node.js `http.Server`", 5 * time.Second, []End{FIN}, Server, "Node.js `http`, `server.keepAliveTimeout`"},
	{"Apache httpd", 5 * time.Second, []End{FIN}, Server, "`KeepAliveTimeout`"},
	{"Tomcat", 20 * time.Second, []End{FIN}, Server,
		"HTTP connector, `keepAliveTimeout`, by default `connectionTimeout`"},
	{"Jetty", 30 * time.Second, []End{FIN}, Server, "`HttpConfiguration` and connectors, `idleTimeout`"},
	{"AWS Application Load Balancer", time.Minute, []End{FIN, GoAway}, Server,
		"Application Load Balancers, connection idle timeout"},
	{"Node.js `http.Server`, newest releases", 65 * time.Second, []End{FIN}, Server,
		"Node.js `http`, `server.keepAliveTimeout`"},
	{"nginx", 75 * time.Second, []End{FIN, GoAway}, Server, "ngx_http_core_module, `keepalive_timeout`"},
	{"IIS", 120 * time.Second, []End{FIN}, Server, "`connectionTimeout` of site limits"},
	{"Azure Load Balancer", 240 * time.Second, []End{Silence, RST}, Path,
		"[Load Balancer TCP reset and idle timeout](https://learn.microsoft.com/en-us/azure/load-balancer/" +
			"load-balancer-tcp-reset)"},
	{"Azure NAT gateway", 240 * time.Second, []End{RST}, Path, "NAT gateway resource, idle timeout timers"},
	{"AWS Network Load Balancer", 350 * time.Second, []End{RST}, Path,
		"[NLB TCP configurable idle timeout](https://aws.amazon.com/blogs/networking-and-content-delivery/" +
			"introducing-nlb-tcp-configurable-idle-timeout/)"},
	{"AWS NAT gateway", 350 * time.Second, []End{RST}, Path, "Troubleshoot NAT gateways"},
	{"Cloudflare, towards clients", 400 * time.Second, []End{FIN, GoAway}, Server,
		"[Connection limits](https://developers.cloudflare.com/fundamentals/reference/connection-limits/)"},
	{"Google external Application Load Balancer", 610 * time.Second, []End{FIN, GoAway}, Server,
		"External Application Load Balancer overview, timeouts"},
	{"IPVS (Swarm, kube-proxy)", 900 * time.Second, []End{Silence, RST}, Path, "`ipvsadm -l --timeout`"},
	{"Google Cloud NAT", 1200 * time.Second, []End{Silence}, Path, "Cloud NAT, timeouts"},
	{"Envoy", 3600 * time.Second, []End{FIN, GoAway}, Server, "`common_http_protocol_options.idle_timeout`"},
}

// Matches are the known timeouts that a bracket allows and that end as was seen. A bracket that is still wide, or that
// has no lower end, allows too many to name one.
func (s Search) Matches() []Known {
	var all []Known
	if s.Died == 0 || s.Died-s.Survived > s.Died/3 {
		return nil
	}
	for _, k := range Timeouts {
		late := resolution(k.Idle) // timers of servers run late, and the peer's clock begins before ours
		if slices.Contains(k.Ends, s.End) && k.Idle >= s.Survived-late && k.Idle <= s.Died+late {
			all = append(all, k)
		}
	}
	return all
}

// Party is where the timeout is, if all that match agree; else empty.
func (s Search) Party() Party {
	matches := s.Matches()
	for _, k := range matches {
		if k.Party != matches[0].Party {
			return ""
		}
	}
	if len(matches) == 0 {
		return ""
	}
	return matches[0].Party
}

// String is the search in a sentence.
func (s Search) String() string {
	var b strings.Builder
	switch {
	case s.Died != 0 && s.Survived != 0:
		fmt.Fprintf(&b, "idle connections live for between %s and %s, then %s", seconds(s.Survived), seconds(s.Died),
			s.End.Words())
	case s.Died != 0:
		fmt.Fprintf(&b, "idle connections live for less than %s, then %s", seconds(s.Died), s.End.Words())
	case s.Survived != 0:
		fmt.Fprintf(&b, "idle connections live for at least %s", seconds(s.Survived))
	default:
		b.WriteString("it is not known yet for how long idle connections live")
	}
	for i, k := range s.Matches() {
		switch i {
		case 0:
			b.WriteString("; documented for: ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", strings.ReplaceAll(k.Who, "`", ""), seconds(k.Idle))
	}
	return b.String()
}

// seconds is a duration as a user reads it: 2.1s, 350s, not 5m50s, as documents have it.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%gs", d.Round(100*time.Millisecond).Seconds())
	}
	return fmt.Sprintf("%gs", d.Round(time.Second).Seconds())
}

// Package cause names the cause of a target's failures: a pure function from what was observed to one word of a closed list, with its
// evidence. It says unknown rather than guess.
package cause

import (
	"errno_exporter/prober"
	"fmt"
	"slices"
)

// Cause is one word for why a target fails.
type Cause string

// The causes. Their meaning stands in Causes.
const (
	ServerOverloaded  Cause = "server_overloaded"
	RateLimited       Cause = "rate_limited"
	ServerRestarted   Cause = "server_restarted"
	ServerError       Cause = "server_error"
	ServerIdleTimeout Cause = "server_idle_timeout"
	PathIdleTimeout   Cause = "path_idle_timeout"
	KeepaliveRace     Cause = "keepalive_race"
	FirewallReject    Cause = "firewall_reject"
	FirewallDrop      Cause = "firewall_drop"
	PathOutage        Cause = "path_outage"
	NoEgress          Cause = "no_egress"
	DNSStale          Cause = "dns_stale"
	DNSBroken         Cause = "dns_broken"
	OneBadAddress     Cause = "one_bad_address"
	OneFamilyBroken   Cause = "one_family_broken"
	LocalDescriptors  Cause = "local_descriptors"
	LocalPorts        Cause = "local_ports"
	LocalStarved      Cause = "local_starved"
	TimeoutTooShort   Cause = "timeout_too_short"
	RequestRejected   Cause = "request_rejected"
	ResponseRejected  Cause = "response_rejected"
	TLSMismatch       Cause = "tls_mismatch"
	Certificate       Cause = "certificate"
	ProxyPolicy       Cause = "proxy_policy"
	H2Only            Cause = "h2_only"
	PMTUBlackHole     Cause = "pmtu_black_hole"
	Transient         Cause = "transient"
	Unknown           Cause = "unknown"
)

// Info is one row of the list.
type Info struct {
	Cause    Cause
	Whose    string // them, path, us: where to look
	Sentence string // what it is
	Advice   string // what to do about it, and whom to ask
}

// Causes is the closed list, in the order in which they are looked for.
var Causes = []Info{
	{LocalDescriptors, "us", "This process has no file descriptor left.", "Raise the limit (ulimit -n, LimitNOFILE) or find the leak: compare errno_exporter_host_descriptors with its limit."},
	{LocalPorts, "us", "This host has no local port left towards the destination.", "Reuse connections, spread over more destinations, or widen ip_local_port_range; look at errno_exporter_host_ephemeral_ports_used_most and TIME_WAIT."},
	{LocalStarved, "us", "The exporter itself got no processor in time: its measurements are of us.", "Raise the container's processor limit; look at throttling and pressure in errno_exporter_host_*."},
	{NoEgress, "us", "The container has no way out: everything beyond it is out of reach.", "Look at the host's routes, gateway and egress rules; the APIs are not at fault."},
	{DNSStale, "us", "The name's address in use is one that a fresh answer does not have.", "Flush or fix the cache that is asked, and have clients honour the TTL and reconnect."},
	{DNSBroken, "us", "The name is not resolved.", "Ask the resolver by hand (dig @SERVER NAME), check the search list and the zone; the owner of the resolver or of the zone knows more."},
	{RateLimited, "them", "The API limits our rate.", "Honour Retry-After, send less, back off with jitter; ask the API's owner for a higher limit."},
	{Certificate, "them", "The server's certificate is not acceptable.", "Renew or complete the chain, or give the private CA in ca_file; check this host's clock and the name."},
	{TLSMismatch, "us", "TLS of both sides does not fit together.", "Compare versions, ciphers, the client certificate and SNI in tls_config with what the server wants."},
	{ProxyPolicy, "path", "The proxy refuses the way to the API.", "Ask the proxy's owner to allow the destination, or mend the credentials in proxy_url."},
	{OneFamilyBroken, "path", "One IP family works and the other does not.", "Set preferred_ip_protocol for now; have the route or the firewall of the broken family mended."},
	{OneBadAddress, "them", "One of the name's addresses fails and others work.", "Tell the API's owner which backend it is; clients should try the next address."},
	{H2Only, "them", "HTTP/2 fails where HTTP/1.1 works.", "Set enable_http2: false for now; tell the owner of the server or load balancer."},
	{PMTUBlackHole, "path", "Large packets vanish, small ones arrive.", "Clamp the MSS or lower the MTU (tunnels, VPN), let ICMP fragmentation needed through, or set net.ipv4.tcp_mtu_probing=1."},
	{RequestRejected, "us", "The request itself is refused; a plain one works.", "Compare headers, body, credentials and size with the API's documentation."},
	{TimeoutTooShort, "us", "The timeout strikes while the answer is still coming, or a little before it would.", "Give the client a longer timeout, or ask for less at once."},
	{ServerIdleTimeout, "them", "The server closes idle connections sooner than the client thinks.", "Let the client's pool drop idle connections before that age, and repeat idempotent requests."},
	{PathIdleTimeout, "path", "A firewall or NAT on the way forgets connections that idle.", "Send TCP keepalives more often than that age, or drop idle connections before it; ask the network's owner for the timeout."},
	{KeepaliveRace, "them", "The server closed the idle connection just when it was used again.", "Keep idle connections for a shorter time than the server does, and repeat idempotent requests."},
	{FirewallReject, "path", "A firewall rejects: a box on the way, or a rule of this host, answers in the server's place.", "Ask the network's owner about the rule; the record names the router, or how many hops away the reset came from."},
	{FirewallDrop, "path", "Nothing answers our packets there, while other destinations work: a firewall drops them, or the host is gone.", "Ask the API's owner whether it is up and lets this address in, and the network's owner about the rule."},
	{ServerRestarted, "them", "The server is restarting or down: connections end, new ones are refused.", "Wait and repeat with backoff; ask the API's owner about the deployment."},
	{ServerOverloaded, "them", "The server is too slow or sheds load.", "Back off; ask the API's owner. Times of processing before the failures show when it began."},
	{ServerError, "them", "The server answers with an error of its own.", "Give the API's owner the time and the record of the probe."},
	{ResponseRejected, "us", "The API answers, and the module's rules refuse the answer.", "Compare the rules (status codes, fail_if_*) with what the API answers now."},
	{PathOutage, "path", "The way to the API is interrupted.", "Look at other destinations in that direction; ask the network's owner. The record names the last router that answered."},
	{Transient, "path", "A single attempt failed among many that succeeded.", "Repeat idempotent requests; look for a pattern in the alerts before looking further."},
	{Unknown, "", "The evidence fits no cause, or several.", "Read the evidence in the record; run errno_exporter probe --diagnose against the target."},
}

// Info returns the cause's row.
func (c Cause) Info() Info {
	i := slices.IndexFunc(Causes, func(row Info) bool { return row.Cause == c })
	if i < 0 {
		panic(fmt.Sprintf("cause: %q is not in the list", string(c)))
	}
	return Causes[i]
}

// Confidence says how sure a verdict is.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"   // the evidence has no other explanation that we know
	Medium Confidence = "medium" // it fits best
	Low    Confidence = "low"    // nothing speaks for it but the absence of others
)

// Verdict is a cause with its evidence.
type Verdict struct {
	Cause      Cause      `json:"cause"`
	Confidence Confidence `json:"confidence"`
	Evidence   []string   `json:"evidence"`
}

// Findings are what is known of why a probe failed.
type Findings struct {
	Verdict  *Verdict         // nil where there is none
	Controls []prober.Control // that were made after it
}

// ControlText is what a control attempt showed, in a line.
func ControlText(c *prober.Control) string {
	text := string(c.Kind) + ": "
	switch {
	case c.Kind == prober.Trace:
		return text + traceSays(c.Hops)
	case c.Failure != nil:
		return text + "FAILED: " + c.Failure.Sentence()
	}
	return text + "works"
}
